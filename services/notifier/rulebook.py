"""Published rules in memory.  Versions never change, so a book is valid for as long as its stamp is."""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.domain.rules import Rule, in_force
from services.notifier.models import RuleVersion

STAMP = "(SELECT concat(count(*), ' ', max(id::text)) FROM rules) AS stamp"
"""Ids are unique across installations, so books of different databases never mix."""

_books: OrderedDict[str, "RuleBook"] = OrderedDict()
_KEPT_BOOKS = 8


class RuleBook:
    def __init__(self, rows: Iterable[Row[tuple[RuleVersion]] | RuleVersion]) -> None:
        self.by_id: dict[UUID, Rule] = {}
        self._id_of: dict[tuple[str, int], UUID] = {}
        versions: defaultdict[tuple[str, UUID | None], list[Rule]] = defaultdict(list)
        self._listening: defaultdict[str, set[tuple[str, UUID | None]]] = defaultdict(set)
        for row in rows:
            rule = rule_of(row)
            self.by_id[row.id] = rule
            self._id_of[rule.code, rule.version] = row.id
            key = (rule.code, rule.office_id)
            versions[key].append(rule)
            for event_type in (*rule.opens, *rule.changes, *(trigger.event for trigger in rule.closes + rule.cancels)):
                self._listening[event_type].add(key)
        self._versions = dict(versions)

    def id_of(self, rule: Rule) -> UUID:
        return self._id_of[rule.code, rule.version]

    def listening_to(self, event_type: str, moment: datetime) -> list[Rule]:
        """Rules in force at `moment` of every duty that this event type may touch."""
        keys = self._listening.get(event_type, ())
        return in_force((rule for key in keys for rule in self._versions[key]), moment)

    def of_duty(self, duty: str, moment: datetime) -> list[Rule]:
        every = (rule for versions in self._versions.values() for rule in versions)
        return in_force((rule for rule in every if rule.duty == duty), moment)

    def all_in_force(self, moment: datetime) -> list[Rule]:
        return in_force((rule for versions in self._versions.values() for rule in versions), moment)


def rule_of(row: "RuleVersion | Row[tuple[RuleVersion]]") -> Rule:
    return Rule.model_validate(
        {
            **row.body,
            "code": row.code,
            "version": row.version,
            "office_id": row.office_id,
            "effective_from": row.effective_from,
        }
    )


async def rule_book(session: AsyncSession, stamp: str | None = None) -> RuleBook:
    """The book as of now; rows are read only when something was published since."""
    if stamp is None:
        stamp = str((await session.execute(text(f"SELECT {STAMP}"))).scalar_one())
    book = _books.get(stamp)
    if book is None:
        rows = (await session.execute(select(RuleVersion).order_by(RuleVersion.code, RuleVersion.version))).scalars()
        book = _books[stamp] = RuleBook(rows)
        while len(_books) > _KEPT_BOOKS:
            _books.popitem(last=False)
    else:
        _books.move_to_end(stamp)
    return book
