"""Queue SMS to staff beside the letters about deadlines, for those who want them (NTF-03)."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from services.notifier.clock.domain.ladder import Person
from services.notifier.delivery.models.notices import Notice
from services.notifier.people.models.preferences import NotificationPreference
from services.notifier.texts.rendering import one_line
from shared.persistence.database import new_id

SMS_LIFETIME = timedelta(hours=4)
"""A later SMS about a deadline is no help; the letter is there anyway."""


def accompanying_sms(
    letter: dict[str, Any], person: Person, preference: NotificationPreference | None, kinds: Iterable[str]
) -> list[dict[str, Any]]:
    """Return at most one SMS for a letter, whatever else comes into it; its text is written when it is sent.

    The letter goes out in any case: an SMS may be lost, and a rule demands the notification.
    """
    if preference is None or not person.phone or letter["context"].get("sms"):
        return []
    if preference.sms == "none" or (preference.sms == "breaches" and all(kind == "warning" for kind in kinds)):
        return []
    letter["context"] = {**letter["context"], "sms": True}
    about = ("office_id", "purpose", "client_id", "staff_id", "obligation_id", "subject_kind", "subject_id")
    same = (*about, "recipient_name", "time_zone", "sender_name", "state", "attempts", "next_attempt_at")
    return [
        {
            **{name: letter[name] for name in same},
            "id": new_id(),
            "channel": "sms",
            "template": f"{letter['template']}_sms",
            "recipient": one_line(person.phone),
            "context": {"letter": str(letter["id"])},
            "expires_at": letter["next_attempt_at"] + SMS_LIFETIME,
        }
    ]


def accompanying_sms_of_queued(
    notice: Notice, person: Person, preference: NotificationPreference | None, kinds: Iterable[str]
) -> list[dict[str, Any]]:
    """Return the same for a letter that is already queued, and note it there."""
    letter = {column.key: getattr(notice, column.key) for column in Notice.__table__.columns}
    rows = accompanying_sms(letter, person, preference, kinds)
    notice.context = letter["context"]
    return rows
