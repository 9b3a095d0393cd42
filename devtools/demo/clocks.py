"""The clocks of the regulations as the office sees them (NTF-03)."""

from datetime import datetime
from typing import Any

from devtools.demo.day import Day, Office
from devtools.demo.failure import check, check_equal
from devtools.demo.http import JSON
from devtools.demo.waiting import until

APPLICABILITY = "ORD-06"


def open_obligation(day: Day, office: Office, rule: str, *, subject_id: str, seconds: int | None = None) -> JSON:
    """Wait until the clock runs; `seconds` is the time that it must allow."""
    found = until(f"срок {rule} открыт", lambda: _one(office, rule, subject_id, "open"))
    if seconds is not None:
        allowed = datetime.fromisoformat(found["due_at"]) - datetime.fromisoformat(found["opened_at"])
        check_equal(round(allowed.total_seconds()), seconds, f"{rule}: отведено секунд")
    check(found["title"], f"{rule}: у срока есть название")
    return found


def closed_obligation(
    day: Day, office: Office, rule: str, *, subject_id: str, state: str = "done", seconds: float = 30
) -> JSON:
    """Wait until the clock has stopped and check its outcome: `done` or `cancelled`."""
    found = until(f"срок {rule} закрыт", lambda: _one(office, rule, subject_id, "closed"), seconds=seconds)
    check_equal(found["state"], state, f"{rule}: исход")
    return found


def change_rule(day: Day, office: Office, rule: str, changes: dict[str, Any]) -> JSON:
    """Publish the office's own version of a rule; the other offices keep theirs."""
    versions = day.head_office.get(f"notifier/rules/{rule}")["items"]
    general = next(version["rule"] for version in versions if version["office_id"] is None)
    body = general | changes | {"office_id": office.id}
    return day.head_office.put(f"notifier/rules/{rule}", body, version=versions[0]["version"])


def _one(office: Office, rule: str, subject_id: str, state: str) -> JSON | None:
    """Find by the rule's code, or by the clause where several rules alternate (ORD-06 before and after the payment)."""
    named = {"rule_code": rule} if rule != APPLICABILITY else {"clause": rule}
    page = office.senior.get("notifier/obligations", state=state, subject_id=subject_id, **named)
    check(len(page["items"]) <= 1, f"{rule}: срок один", len(page["items"]))
    return page["items"][0] if page["items"] else None
