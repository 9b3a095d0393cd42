"""Как и когда сотруднику сообщают о сроках: предпочтения, тишина, отсутствия и замещения."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.web import (
    Input,
    Output,
)


class Preferences(Input):
    """В пределах того, что требует правило: о нарушении и о срочном сообщается всегда."""

    warnings: bool = Field(default=True, description="Письма до срока; без них — только список «Мой день»")
    digest_minutes: Annotated[int, Field(ge=5, le=120)] = Field(default=5, description="Не чаще одного письма за")
    sms: Literal["none", "breaches", "all"] = Field(
        default="none", description="SMS на свой телефон вместе с письмом: нет, о нарушениях, обо всём"
    )


class PreferencesOut(Output):
    warnings: bool
    digest_minutes: int
    sms: Literal["none", "breaches", "all"]
    snoozed_until: datetime | None


class Snooze(Input):
    """Тишина на время разговора или выезда; 0 — закончить."""

    minutes: Annotated[int, Field(ge=0, le=240)]


class EnterAbsence(Input):
    """Сотрудника нет: сообщают замещающему, а без него — следующей ступени."""

    staff_id: UUID
    substitute_id: UUID | None = None
    since: AwareDatetime
    until: AwareDatetime


class AbsenceOut(Output):
    id: UUID
    office_id: UUID
    staff_id: UUID
    substitute_id: UUID | None
    since: datetime
    until: datetime
    entered_by: UUID
    created_at: datetime
