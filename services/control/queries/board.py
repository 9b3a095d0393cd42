"""Head office's board from control's own tables."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.control.domain.policy import PolicyValue, norms_on
from services.control.domain.staffing import Member, acting_director, staffing_hints
from services.control.domain.statistics import Tally, month_before, month_of
from services.control.models.offices import Office
from services.control.models.penalties import Policy
from services.control.models.projections import MonthlyTurnover, ObligationProjection
from services.control.models.staff import Staff
from services.control.queries.offices import members_by_office
from services.control.queries.statistics import RunningMonth, Tallies, figures, tallies, total
from services.control.schemas.offices import HintOut
from services.control.schemas.reports import Board, BrokerBoard, ObligationCounts, OfficeBoard, ServiceBoard


async def board(session: AsyncSession, *, broker: BrokerBoard, services: list[ServiceBoard], at: datetime) -> Board:
    """Return every office with obligations, inquiries, turnover and hints of ORG-03, beside the services' answers."""
    offices = (
        await session.scalars(select(Office).order_by(Office.active.desc(), Office.name, Office.office_id))
    ).all()
    counted = await tallies(session, RunningMonth(at))
    obligations = await _obligations(session, counted, at)
    turnover = await _turnover(session, at)
    policies = [row.as_value for row in (await session.scalars(select(Policy))).all()]
    members = await members_by_office(session, [office.office_id for office in offices])
    directors = {office_id: acting_director(staff) for office_id, staff in members.items()}
    names = await _names(session, [director.id for director in directors.values() if director])
    shown = []
    network = Tally()
    for office in offices:
        staff = members.get(office.office_id, [])
        director = directors.get(office.office_id)
        today = at.astimezone(ZoneInfo(office.time_zone)).date()
        this_month, last_month = _months(turnover.get(office.office_id, {}), today)
        tally = total(counted.get(office.office_id, {}))
        network.add(tally)
        shown.append(
            OfficeBoard(
                office_id=office.office_id,
                name=office.name,
                city=office.city,
                active=office.active,
                acting_director=names.get(director.id) if director else None,
                acting_director_role_label=director.role.label if director else None,
                turnover_this_month=this_month,
                turnover_last_month=last_month,
                hints=_hints(office, staff, max(this_month, last_month), policies, today),
                obligations=obligations.get(office.office_id, ObligationCounts()),
                figures=figures(tally),
            )
        )
    return Board(
        at=at,
        obligations=_sum(obligations.values()),
        figures=figures(network),
        offices=shown,
        broker=broker,
        services=services,
    )


def _hints(
    office: Office, staff: list[Member], best_turnover: Decimal, policies: list[PolicyValue], today: date
) -> list[HintOut]:
    """Return the hints about an office; a closed one needs no staff."""
    if not office.active:
        return []
    hints = staffing_hints(staff, best_turnover, norms_on(policies, today))
    return [HintOut.model_validate(hint) for hint in hints]


async def _obligations(session: AsyncSession, counted: Tallies, at: datetime) -> dict[UUID, ObligationCounts]:
    running = await session.execute(
        select(
            ObligationProjection.office_id,
            func.count().label("open"),
            func.count().filter(ObligationProjection.due_at < at).label("overdue"),
        )
        .where(ObligationProjection.state != "closed")
        .group_by(ObligationProjection.office_id)
    )
    counts = {row.office_id: ObligationCounts(open=row.open, overdue=row.overdue) for row in running}
    for office_id, by_staff in counted.items():
        counts.setdefault(office_id, ObligationCounts()).breached = total(by_staff).breached
    return counts


def _sum(counts: Iterable[ObligationCounts]) -> ObligationCounts:
    whole = ObligationCounts()
    for each in counts:
        whole.open += each.open
        whole.overdue += each.overdue
        whole.breached += each.breached
    return whole


async def _turnover(session: AsyncSession, at: datetime) -> dict[UUID, dict[date, Decimal]]:
    """Return the turnover of the months that may count today, whatever the office's zone."""
    since = month_of((at - timedelta(days=63)).date())
    rows = await session.scalars(select(MonthlyTurnover).where(MonthlyTurnover.month >= since))
    turnover: dict[UUID, dict[date, Decimal]] = {}
    for row in rows:
        turnover.setdefault(row.office_id, {})[row.month] = row.amount
    return turnover


def _months(turnover: dict[date, Decimal], today: date) -> tuple[Decimal, Decimal]:
    """Return the turnover of this month and the last: ORG-03 asks whether either passed the threshold (K12)."""
    this_month = month_of(today)
    return turnover.get(this_month, Decimal(0)), turnover.get(month_before(this_month), Decimal(0))


async def _names(session: AsyncSession, staff_ids: Sequence[UUID]) -> dict[UUID, str]:
    rows = await session.execute(select(Staff.id, Staff.full_name).where(Staff.id.in_(staff_ids)))
    return {row.id: row.full_name for row in rows}
