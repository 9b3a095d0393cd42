"""Count what happened in a period, per office and manager (INQ-01, RPT-07)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Select, cast, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from services.control.domain.statistics import Tally
from services.control.models.offices import Office
from services.control.models.penalties import PenaltyEntry
from services.control.models.projections import Call, Inquiry, ObligationProjection
from services.control.models.staff import Staff
from services.control.schemas.reports import CountOut, Figures, ManagerFigures, OfficeStatistics, Statistics
from shared.identity.roles import Role

TOP = 10
ONE_DAY = timedelta(days=1)
Column = InstrumentedAttribute[Any]
Rows = Select[*tuple[Any, ...]]


def midnight(day: date) -> datetime:
    """Return the day's beginning in UTC.

    A column of instants is compared with an instant: with a date PostgreSQL would not use the index under row-level
    security, for that comparison is not leakproof.
    """
    return datetime.combine(day, time(), UTC)


class Period(Protocol):
    """A span of time, in the calendar of each office."""

    def covers(self, column: Column) -> list[ColumnElement[bool]]:
        """Return conditions on an instant, in the calendar of the joined `Office`; the bare bounds use the index."""


@dataclass(frozen=True)
class Days:
    """Whole local days, the last one included."""

    first: date
    last: date

    def covers(self, column: Column) -> list[ColumnElement[bool]]:
        """Compare with the local days, after the bounds that the index can use."""
        local_day = cast(func.timezone(Office.time_zone, column), Date)
        return [
            column >= midnight(self.first - ONE_DAY),
            column < midnight(self.last + 2 * ONE_DAY),
            local_day.between(self.first, self.last),
        ]


@dataclass(frozen=True)
class RunningMonth:
    """The month that each office is in at the moment `at`."""

    at: datetime

    def covers(self, column: Column) -> list[ColumnElement[bool]]:
        """Compare with the local month, after the bound that the index can use."""

        def month(moment: Any) -> ColumnElement[Any]:
            return func.date_trunc("month", func.timezone(Office.time_zone, moment))

        return [column >= self.at - timedelta(days=32), month(column) == month(self.at)]


Tallies = dict[UUID, dict[UUID | None, Tally]]
"""Office -> employee -> counts; None is the office's own account."""


async def tallies(session: AsyncSession, period: Period, office_id: UUID | None = None) -> Tallies:
    """Count everything of the period; `office_id` narrows to one office."""
    counted: Tallies = defaultdict(lambda: defaultdict(Tally))
    for statement in (_inquiries(period), _calls(period), _breaches(period), _penalties(period)):
        if office_id is not None:
            statement = statement.where(Office.office_id == office_id)
        for row in (await session.execute(statement)).mappings():
            values = dict(row)
            office, staff = values.pop("office_id"), values.pop("staff_id")
            counted[office][staff].add(Tally(**{name: int(value) for name, value in values.items()}))
    return counted


def figures(tally: Tally) -> Figures:
    """Return a tally as the routes show it."""
    return Figures.model_validate(tally)


def total(tallies_of_office: dict[UUID | None, Tally]) -> Tally:
    """Add up the tallies of an office."""
    whole = Tally()
    for tally in tallies_of_office.values():
        whole.add(tally)
    return whole


async def statistics(session: AsyncSession, first: date, last: date, office_id: UUID | None) -> Statistics:
    """Return the statistics of the period for each office and manager, with the most frequent reasons and goods."""
    period = Days(first, last)
    counted = await tallies(session, period, office_id)
    offices = await _office_names(session, list(counted))
    staff = await _staff_names(session, {staff for by_staff in counted.values() for staff in by_staff if staff})
    reasons = await _top(session, _lost_reasons(period, office_id))
    goods = await _top(session, _goods(period, office_id))
    network = Tally()
    shown = []
    for office, by_staff in sorted(counted.items(), key=lambda item: (offices.get(item[0]) or "", item[0])):
        whole = total(by_staff)
        network.add(whole)
        shown.append(
            OfficeStatistics(
                office_id=office,
                office_name=offices.get(office),
                totals=figures(whole),
                managers=[
                    _manager(staff_id, tally, staff)
                    for staff_id, tally in sorted(by_staff.items(), key=lambda item: str(item[0] or ""))
                ],
                lost_reasons=reasons[office],
                goods=goods[office],
            )
        )
    return Statistics(first_day=first, last_day=last, totals=figures(network), offices=shown)


def _manager(staff_id: UUID | None, tally: Tally, staff: dict[UUID, tuple[str, str]]) -> ManagerFigures:
    name, role = staff.get(staff_id, (None, None)) if staff_id else (None, None)
    return ManagerFigures(
        **figures(tally).model_dump(),
        staff_id=staff_id,
        staff_name=name,
        role_label=Role(role).label if role else None,
    )


def _inquiries(period: Period) -> Rows:
    every = func.count()
    messages = Inquiry.channel.in_(("email", "messenger", "site"))
    return (
        select(
            Inquiry.office_id,
            Inquiry.staff_id,
            every.label("inquiries"),
            every.filter(Inquiry.channel == "visit").label("visits"),
            every.filter(Inquiry.channel == "phone").label("calls"),
            every.filter(messages).label("messages"),
            every.filter(Inquiry.status == "open").label("open"),
            every.filter(Inquiry.status == "won").label("won"),
            every.filter(Inquiry.status == "lost").label("lost"),
            every.filter(Inquiry.mark == "vip").label("vip"),
            every.filter(Inquiry.mark == "bad").label("bad"),
        )
        .join(Office, Office.office_id == Inquiry.office_id)
        .where(*period.covers(Inquiry.recorded_at))
        .group_by(Inquiry.office_id, Inquiry.staff_id)
    )


def _calls(period: Period) -> Rows:
    return (
        select(
            Call.office_id,
            Call.staff_id,
            func.count().label("calls_made"),
            func.count().filter(Call.outcome == "reached").label("calls_reached"),
            func.count(Call.rating).label("ratings"),
            func.coalesce(func.sum(Call.rating), 0).label("ratings_total"),
        )
        .join(Office, Office.office_id == Call.office_id)
        .where(*period.covers(Call.called_at))
        .group_by(Call.office_id, Call.staff_id)
    )


def _breaches(period: Period) -> Rows:
    return (
        select(
            ObligationProjection.office_id,
            ObligationProjection.responsible_staff_id.label("staff_id"),
            func.count().label("breached"),
        )
        .join(Office, Office.office_id == ObligationProjection.office_id)
        .where(*period.covers(ObligationProjection.breached_at))
        .group_by(ObligationProjection.office_id, ObligationProjection.responsible_staff_id)
    )


def _penalties(period: Period) -> Rows:
    return (
        select(PenaltyEntry.office_id, PenaltyEntry.staff_id, func.sum(PenaltyEntry.points).label("penalty_points"))
        .join(Office, Office.office_id == PenaltyEntry.office_id)
        .where(PenaltyEntry.withdrawn_at.is_(None), *period.covers(PenaltyEntry.imposed_at))
        .group_by(PenaltyEntry.office_id, PenaltyEntry.staff_id)
    )


def _lost_reasons(period: Period, office_id: UUID | None) -> Rows:
    counted = (
        select(Inquiry.office_id, Inquiry.lost_reason.label("name"), func.count().label("count"))
        .join(Office, Office.office_id == Inquiry.office_id)
        .where(Inquiry.lost_reason.is_not(None), *period.covers(Inquiry.recorded_at))
        .group_by(Inquiry.office_id, Inquiry.lost_reason)
    )
    return counted if office_id is None else counted.where(Office.office_id == office_id)


def _goods(period: Period, office_id: UUID | None) -> Rows:
    item = func.jsonb_array_elements_text(Inquiry.items).table_valued("value").lateral("item")
    name = func.lower(item.c.value)
    counted = (
        select(Inquiry.office_id, name.label("name"), func.count().label("count"))
        .select_from(Inquiry)
        .join(Office, Office.office_id == Inquiry.office_id)
        .join(item, true())
        .where(*period.covers(Inquiry.recorded_at))
        .group_by(Inquiry.office_id, name)
    )
    return counted if office_id is None else counted.where(Office.office_id == office_id)


async def _top(session: AsyncSession, counted: Rows) -> dict[UUID, list[CountOut]]:
    """Return the most frequent names of each office."""
    every = counted.subquery()
    place = func.row_number().over(partition_by=every.c.office_id, order_by=(every.c.count.desc(), every.c.name))
    ranked = select(every.c.office_id, every.c.name, every.c.count, place.label("place")).subquery()
    best = select(ranked).where(ranked.c.place <= TOP).order_by(ranked.c.place)
    by_office: dict[UUID, list[CountOut]] = defaultdict(list)
    for row in (await session.execute(best)).mappings():
        by_office[row["office_id"]].append(CountOut(name=row["name"], count=row["count"]))
    return by_office


async def _office_names(session: AsyncSession, office_ids: Sequence[UUID]) -> dict[UUID, str]:
    rows = await session.execute(select(Office.office_id, Office.name).where(Office.office_id.in_(office_ids)))
    return {row.office_id: row.name for row in rows}


async def _staff_names(session: AsyncSession, staff_ids: set[UUID]) -> dict[UUID, tuple[str, str]]:
    rows = await session.execute(select(Staff.id, Staff.full_name, Staff.role).where(Staff.id.in_(staff_ids)))
    return {row.id: (row.full_name, row.role) for row in rows}
