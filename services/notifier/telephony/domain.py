"""Parse the events of telephone exchanges: Asterisk's manager events and Mango Office's notices (CALL-09)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal


@dataclass(frozen=True)
class CallEvent:
    """One thing that happened to a call; the other moments are None."""

    provider: str
    external_id: str
    direction: Literal["in", "out"]
    phone: str
    """The client's, as +7…"""
    line: str
    """The office's."""
    began_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None


def normalize_phone(number: str) -> str:
    """Return `8 (922) 123-45-67` as `+79221234567`; what is no full number as its digits."""
    digits = re.sub(r"\D", "", number)
    if len(digits) == 10:
        digits = f"7{digits}"
    elif len(digits) == 11 and digits[0] == "8":
        digits = f"7{digits[1:]}"
    return f"+{digits}" if len(digits) >= 11 else digits


def parse_asterisk(event: dict[str, Any]) -> CallEvent | None:
    """Return the event of a call; None for other legs of a call and other events."""
    name, call = event["Event"], event["Linkedid"]
    own_leg = event.get("Uniqueid", call) == call
    moment = _moment(event["Timestamp"])
    outgoing = event.get("Context", "").startswith(("from-internal", "outgoing"))
    client, line = event.get("CallerIDNum", ""), event.get("Exten", "")
    known: dict[str, Any] = {
        "provider": "asterisk",
        "external_id": call,
        "direction": "out" if outgoing else "in",
        "phone": normalize_phone(line if outgoing else client),
        "line": normalize_phone(client if outgoing else line),
    }
    if name == "Newchannel" and own_leg:
        return CallEvent(**known, began_at=moment)
    if name == "BridgeEnter" or (name == "DialEnd" and event.get("DialStatus") == "ANSWER"):
        return CallEvent(**known, answered_at=moment)
    if name == "Hangup" and own_leg:
        return CallEvent(**known, ended_at=moment)
    return None


def parse_mango(kind: Literal["call", "summary"], body: dict[str, Any]) -> CallEvent | None:
    """Return the event of a call: `call` reports beginning and answer, `summary` the whole when it is over."""
    near, far = body.get("from") or {}, body.get("to") or {}
    outgoing = bool(near.get("extension"))
    known: dict[str, Any] = {
        "provider": "mango",
        "external_id": str(body["entry_id"]),
        "direction": "out" if outgoing else "in",
        "phone": normalize_phone(str((far if outgoing else near).get("number") or "")),
        "line": normalize_phone(
            str(body.get("line_number") or far.get("line_number") or near.get("line_number") or "")
        ),
    }
    if kind == "summary":
        return CallEvent(
            **known,
            began_at=_moment(body["create_time"]),
            answered_at=_moment(body["talk_time"]) if body.get("talk_time") else None,
            ended_at=_moment(body["end_time"]),
        )
    moment, state = _moment(body["timestamp"]), body.get("call_state")
    if state == "Appeared":
        return CallEvent(**known, began_at=moment)
    # A voice menu takes every call immediately; answered means that a person took it.
    if state == "Connected" and body.get("location") == "abonent":
        return CallEvent(**known, answered_at=moment)
    return None


def _moment(seconds: Any) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
