from typing import Any

from shared.contracts.notifier import (
    ConsentWithdrawn,
    MailAnswered,
    MailReceived,
    ObligationBreached,
    ObligationClosed,
    ObligationLimitReached,
    ObligationOpened,
    ObligationWarned,
    PhoneCallEnded,
)
from tests.contracts.examples.story import (
    CLIENT,
    LETTER,
    MANAGER,
    OBLIGATION,
    OFFICE,
    ORDER,
    REMOVAL,
    REQUEST,
    RINGING,
    at,
)

_DUTY: dict[str, Any] = {
    "office_id": OFFICE,
    "obligation_id": OBLIGATION,
    "rule_code": "VIN-05",
    "clause": "VIN-05",
    "rule_version": 1,
    "generation": 1,
    "subject_kind": "vin_request",
    "subject_id": REQUEST,
    "client_id": CLIENT,
    "responsible_staff_id": MANAGER,
    "opened_at": at(20),
    "due_at": at(140),
}
_REMOVAL: dict[str, Any] = _DUTY | {
    "obligation_id": REMOVAL,
    "rule_code": "ORD-07",
    "clause": "ORD-07",
    "subject_kind": "order",
    "subject_id": ORDER,
    "opened_at": at(70),
    "due_at": at(3 * 24 * 60),
}

EXAMPLES = (
    ObligationOpened(**_DUTY, version=1, occurred_at=at(20)),
    ObligationWarned(**_DUTY, version=2, occurred_at=at(110)),
    ObligationBreached(**_DUTY, version=3, occurred_at=at(140), breached_at=at(140), penalty_points=1),
    ObligationLimitReached(
        **_REMOVAL, version=3, occurred_at=at(3 * 24 * 60), action="remove_order", reached_at=at(3 * 24 * 60)
    ),
    ObligationClosed(**_DUTY, version=5, occurred_at=at(160), outcome="done", breached=True, closed_at=at(160)),
    ConsentWithdrawn(
        office_id=OFFICE,
        version=2,
        occurred_at=at(200),
        client_id=CLIENT,
        purpose="advertising",
        source="link",
        withdrawn_at=at(200),
    ),
    MailReceived(
        office_id=OFFICE,
        version=1,
        occurred_at=at(210),
        mail_id=LETTER,
        thread_id=LETTER,
        client_id=CLIENT,
        received_at=at(209),
    ),
    MailAnswered(
        office_id=OFFICE,
        version=2,
        occurred_at=at(230),
        mail_id=LETTER,
        thread_id=LETTER,
        staff_id=MANAGER,
        answered_at=at(230),
    ),
    PhoneCallEnded(
        office_id=OFFICE,
        version=1,
        occurred_at=at(245),
        call_id=RINGING,
        direction="in",
        client_id=CLIENT,
        began_at=at(240),
        answered_at=at(240),
        ended_at=at(245),
        in_time=True,
    ),
)
