"""Черновики правил: проверить, прогнать на прошедшем, опубликовать."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.web import (
    Input,
    Output,
)


class DraftOut(Output):
    """Черновик правила."""

    # Two schemas have this name, so the published documents tell them apart by a module: by that of the first release.
    __module__ = "services.notifier.api.drafts"

    id: UUID
    version: int
    code: str
    office_id: UUID | None
    effective_from: datetime | None
    state: Literal["draft", "published", "dropped"]
    based_on: int = Field(description="Опубликованная версия, от которой он отталкивается")
    published_version: int | None
    created_by: UUID
    created_at: datetime
    body: dict[str, Any]


class DryRunRequest(Input):
    """Прошедший период; без конца — до этой минуты."""

    since: AwareDatetime
    until: AwareDatetime | None = None


class OutcomeOut(Output):
    rule_code: str
    due_at: datetime
    closed_at: datetime | None
    outcome: Literal["open", "done", "cancelled"]
    breached: bool


class DifferenceOut(Output):
    """Что стало бы иначе с одной обязанностью."""

    what: Literal["added", "dropped", "breached_now", "kept_now", "deadline_moved", "rule_changed"]
    what_label: str
    title: str
    subject_kind: str
    subject_label: str
    subject_id: UUID
    office_id: UUID
    responsible_staff_id: UUID | None
    responsible_name: str | None
    opened_at: datetime
    before: OutcomeOut | None
    after: OutcomeOut | None


class PersonOut(Output):
    staff_id: UUID | None
    name: str | None
    duties_before: int
    duties_after: int
    breaches_before: int
    breaches_after: int


class DryRunOut(Output):
    """Итог прогона: было бы столько-то обязанностей и нарушений, у кого больше, у кого меньше."""

    since: datetime
    until: datetime
    events: int
    deeds: int = Field(description="Паузы, переносы, возвраты и отметки людей, взятые из истории обязанностей")
    duties_before: int
    duties_after: int
    breaches_before: int
    breaches_after: int
    changed: int
    differences: list[DifferenceOut]
    people: list[PersonOut]
    cannot_know: list[str] = Field(description="Чего прогон не знает")
