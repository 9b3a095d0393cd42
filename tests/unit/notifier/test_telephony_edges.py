"""What exchanges tell about calls: who called whom on which line, and which of their events are none of ours."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.notifier.telephony.domain import CallEvent, normalize_phone, parse_asterisk, parse_mango

MOMENT = datetime(2026, 3, 16, 9, 30, tzinfo=UTC)
SECONDS = MOMENT.timestamp()
LATER = datetime(2026, 3, 16, 9, 31, tzinfo=UTC)
CLIENT, OFFICE = "+79221234567", "+73435550101"


def asterisk(name: str, **changes: Any) -> CallEvent | None:
    event = {"Event": name, "Linkedid": "c.1", "Uniqueid": "c.1", "Timestamp": str(SECONDS), "Context": "from-trunk"}
    return parse_asterisk({**event, "CallerIDNum": "89221234567", "Exten": "73435550101", **changes})


def call(provider: str, external_id: str, direction: str = "in", **moments: datetime) -> CallEvent:
    return CallEvent(provider, external_id, direction, CLIENT, OFFICE, **moments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("number", "phone"),
    [
        ("9221234567", CLIENT),
        ("8 (922) 123-45-67", CLIENT),
        ("+7 922 123-45-67", CLIENT),
        ("99221234567", "+99221234567"),
        ("922123456", "922123456"),
        ("800123456789", "+800123456789"),
        ("103", "103"),
        ("", ""),
    ],
)
def test_only_a_full_number_gets_its_country(number: str, phone: str) -> None:
    assert normalize_phone(number) == phone


def test_a_call_begins_is_answered_and_ends() -> None:
    assert asterisk("Newchannel") == call("asterisk", "c.1", began_at=MOMENT)
    assert asterisk("BridgeEnter") == call("asterisk", "c.1", answered_at=MOMENT)
    assert asterisk("DialEnd", DialStatus="ANSWER") == call("asterisk", "c.1", answered_at=MOMENT)
    assert asterisk("Hangup") == call("asterisk", "c.1", ended_at=MOMENT)


@pytest.mark.parametrize("context", ["from-internal", "from-internal-xfer", "outgoing", "outgoing-mobile"])
def test_an_outgoing_call_names_the_client_in_the_dialled_number(context: str) -> None:
    found = asterisk("Newchannel", Context=context, CallerIDNum="73435550101", Exten="89221234567")
    assert found == call("asterisk", "c.1", "out", began_at=MOMENT)


def test_the_other_leg_neither_begins_nor_ends_a_call_but_answers_it() -> None:
    assert asterisk("Newchannel", Uniqueid="c.2") is None
    assert asterisk("Hangup", Uniqueid="c.2") is None
    assert asterisk("BridgeEnter", Uniqueid="c.2") == call("asterisk", "c.1", answered_at=MOMENT)


@pytest.mark.parametrize(
    ("name", "changes"), [("DialEnd", {"DialStatus": "BUSY"}), ("DialEnd", {}), ("DialBegin", {}), ("VarSet", {})]
)
def test_other_events_of_the_exchange_are_none_of_ours(name: str, changes: dict[str, str]) -> None:
    assert asterisk(name, **changes) is None


def test_an_event_without_optional_fields_is_an_incoming_call_of_unknown_numbers() -> None:
    bare = {"Event": "Newchannel", "Linkedid": "c.1", "Timestamp": str(SECONDS)}
    assert parse_asterisk(bare) == CallEvent("asterisk", "c.1", "in", "", "", began_at=MOMENT)


INCOMING = {"entry_id": 17, "from": {"number": "79221234567"}, "to": {"number": "sip:1"}, "line_number": "73435550101"}


def notice(**changes: Any) -> CallEvent | None:
    return parse_mango("call", {**INCOMING, "timestamp": SECONDS, "call_state": "Appeared", **changes})


def test_a_notice_tells_of_the_beginning_and_of_the_person_who_answers() -> None:
    assert notice() == call("mango", "17", began_at=MOMENT)
    assert notice(call_state="Connected", location="abonent") == call("mango", "17", answered_at=MOMENT)


@pytest.mark.parametrize(
    "changes",
    [
        {"call_state": "Connected"},
        {"call_state": "Connected", "location": "ivr"},
        {"call_state": "Disconnected", "location": "abonent"},
        {"call_state": None, "location": "abonent"},
    ],
)
def test_a_voice_menu_does_not_answer(changes: dict[str, Any]) -> None:
    assert notice(**changes) is None


def test_who_has_an_extension_calls_out() -> None:
    found = notice(**{"from": {"extension": "101", "number": "sip:1"}, "to": {"number": "79221234567"}})
    assert found == call("mango", "17", "out", began_at=MOMENT)


@pytest.mark.parametrize(
    "line",
    [
        {"line_number": "73435550101"},
        {"line_number": None, "to": {"line_number": "73435550101"}},
        {"line_number": None, "from": {"number": "79221234567", "line_number": "73435550101"}},
    ],
)
def test_the_line_is_taken_from_wherever_it_is_said(line: dict[str, Any]) -> None:
    assert notice(**line) == call("mango", "17", began_at=MOMENT)


def test_what_a_notice_leaves_out_is_empty() -> None:
    found = parse_mango("call", {"entry_id": "a", "timestamp": SECONDS, "call_state": "Appeared"})
    assert found == CallEvent("mango", "a", "in", "", "", began_at=MOMENT)


def test_a_summary_has_the_whole_call() -> None:
    body = {**INCOMING, "create_time": SECONDS, "talk_time": SECONDS + 60, "end_time": SECONDS + 60}
    whole = call("mango", "17", began_at=MOMENT, answered_at=LATER, ended_at=LATER)
    assert parse_mango("summary", body) == whole
    assert parse_mango("summary", {**body, "talk_time": 0}) == call("mango", "17", began_at=MOMENT, ended_at=LATER)
