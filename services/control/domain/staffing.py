"""Decide who may hold which role where, who acts as director, and what an office lacks (ORG-02, ORG-03)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from services.control.domain.policy import Norms
from shared.base.errors import BusinessError, Conflict, Invalid
from shared.identity.roles import OFFICE_STAFF, Role


@dataclass(frozen=True, slots=True)
class Member:
    """An active employee of one office."""

    id: UUID
    role: Role
    hired_at: datetime


@dataclass(frozen=True, slots=True)
class Hint:
    """A recommendation to head office about an office; `text` is shown as it is."""

    code: str
    clause: str
    text: str


class DirectorExists(BusinessError):
    """An office has one director at most."""

    code = "office-has-director"
    title = "В офисе уже есть управляющий"


class LastHeadOfficeAccount(BusinessError):
    """The network would lose its last account of head office."""

    code = "last-head-office-account"
    title = "Нельзя лишить сеть последней учётной записи головного офиса"


class OfficeClosed(BusinessError):
    """A closed office takes no staff."""

    code = "office-closed"
    title = "Офис закрыт"


def check_place(role: Role, office_id: UUID | None) -> None:
    """Verify that office staff have an office, head office and mystery checkers none (ORG-02).  Raises Invalid."""
    if role in OFFICE_STAFF and office_id is None:
        raise Invalid(f"Для роли «{role.label}» укажите офис.", field="office_id")
    if role not in OFFICE_STAFF and office_id is not None:
        raise Invalid(f"Роль «{role.label}» не относится к офису.", field="office_id")


def check_single_director(role: Role, others: Iterable[Member]) -> None:
    """Verify that an office has one director at most (ORG-03).  Raises DirectorExists."""
    if role == Role.DIRECTOR and any(member.role == Role.DIRECTOR for member in others):
        raise DirectorExists("Сначала переведите или увольте прежнего управляющего.")


def check_own_account(actor_id: UUID, staff_id: UUID) -> None:
    """Verify that employees do not dismiss or demote themselves by mistake.  Raises Conflict."""
    if actor_id == staff_id:
        raise Conflict("Изменить собственную роль или уволить себя может только другой сотрудник головного офиса.")


def acting_director(members: Iterable[Member]) -> Member | None:
    """Return the director or, where there is none, the senior manager hired first, else None (ORG-03)."""
    by_role: dict[Role, Member] = {}
    for member in sorted(members, key=lambda member: (member.hired_at, member.id)):
        by_role.setdefault(member.role, member)
    return by_role.get(Role.DIRECTOR) or by_role.get(Role.SENIOR_MANAGER)


def staffing_hints(members: Iterable[Member], monthly_turnover: Decimal, norms: Norms) -> list[Hint]:
    """Return what the office lacks (ORG-03).

    `monthly_turnover` is the best of the months that count (K12), in roubles.
    """
    count = Counter(member.role for member in members)
    hints = []
    if count[Role.SENIOR_MANAGER] < norms.senior_managers and not count[Role.DIRECTOR]:
        hints.append(Hint("senior-missing", "ORG-03", "В офисе нет старшего менеджера: назначьте его."))
    if count[Role.MANAGER] < norms.managers:
        hints.append(
            Hint(
                "managers-missing",
                "ORG-03",
                f"Менеджеров в офисе {count[Role.MANAGER]}, по регламенту нужно {norms.managers}.",
            )
        )
    if monthly_turnover > norms.turnover_threshold:
        passed = f"Оборот за месяц {roubles(monthly_turnover)} превысил {roubles(norms.turnover_threshold)}"
        if not count[Role.DIRECTOR]:
            hints.append(Hint("director-due", "ORG-03", f"{passed}: назначьте управляющего."))
        if count[Role.MANAGER] + count[Role.ASSISTANT] <= norms.managers:
            hints.append(Hint("helper-due", "ORG-03", f"{passed}: примите ещё одного менеджера или помощника."))
    return hints


def roubles(amount: Decimal) -> str:
    """Format an amount, 1000000.5 → «1 000 000,50 ₽»; whole roubles have no kopecks."""
    text = f"{amount:,.2f}".replace(",", "\N{NO-BREAK SPACE}").replace(".", ",")
    return f"{text.removesuffix(',00')}\N{NO-BREAK SPACE}₽"
