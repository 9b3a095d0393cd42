"""Published rules in memory.  Versions never change, so a book is valid for as long as its stamp is."""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Row, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.clock.domain.rules import Rule, in_force
from services.notifier.clock.models.rules import RuleVersion

STAMP = "concat((SELECT count(*) FROM rules), (SELECT id FROM rules ORDER BY id DESC LIMIT 1)) AS stamp"
"""Versions are only ever added, so their number shows a change; the id keeps books of different databases apart."""

_books: OrderedDict[str, "RuleBook"] = OrderedDict()
_KEPT_BOOKS = 8
_latest: "WeakKeyDictionary[Engine, RuleBook]" = WeakKeyDictionary()


class RuleBook:
    """All published versions, and which of them are in force when."""

    def __init__(self, stamp: str, rows: Iterable[Row[tuple[RuleVersion]] | RuleVersion]) -> None:
        self.stamp = stamp
        self.by_id: dict[UUID, Rule] = {}
        self._id_of: dict[tuple[str, int], UUID] = {}
        for row in rows:
            rule = rule_of(row)
            self.by_id[row.id] = rule
            self._id_of[rule.code, rule.version] = row.id
        self._effective_dates = sorted({rule.effective_from for rule in self.by_id.values()})
        self._found: dict[tuple[object, ...], list[Rule]] = {}

    def id_of(self, rule: Rule) -> UUID:
        """Return the id of the rule's row."""
        return self._id_of[rule.code, rule.version]

    def rules_for_event(self, event_type: str, office_id: UUID | None, moment: datetime) -> list[Rule]:
        """Return the rules in force at `moment` in the office that this event type may touch."""
        key = ("event", event_type, office_id, bisect_right(self._effective_dates, moment))
        if key not in self._found:
            self._found[key] = [
                rule
                for rule in self.all_in_force(moment)
                if rule.office_id in (None, office_id) and event_type in rule.relevant_events
            ]
        return self._found[key]

    def rules_for_kind(self, obligation_kind: str, office_id: UUID, moment: datetime) -> list[Rule]:
        """Return the rules of an obligation kind in force at `moment` in the office."""
        key = ("duty", obligation_kind, office_id, bisect_right(self._effective_dates, moment))
        if key not in self._found:
            in_office = (rule for rule in self.all_in_force(moment) if rule.office_id in (None, office_id))
            self._found[key] = [rule for rule in in_office if rule.obligation_kind == obligation_kind]
        return self._found[key]

    def all_in_force(self, moment: datetime) -> list[Rule]:
        """Return the rules in force at `moment`.

        They are the same from one version's effective date to the next, so they are computed once for each such time.
        """
        key = ("all", bisect_right(self._effective_dates, moment))
        if key not in self._found:
            self._found[key] = in_force(self.by_id.values(), moment)
        return self._found[key]


def rule_of(row: "RuleVersion | Row[tuple[RuleVersion]]") -> Rule:
    """Return the rule of a stored version."""
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
    """Return the book as of now; rows are read only when something was published since."""
    if stamp is None:
        stamp = str((await session.execute(text(f"SELECT {STAMP}"))).scalar_one())
    book = _books.get(stamp)
    if book is None:
        rows = (await session.execute(select(RuleVersion).order_by(RuleVersion.code, RuleVersion.version))).scalars()
        book = _books[stamp] = RuleBook(stamp, rows)
        while len(_books) > _KEPT_BOOKS:
            _books.popitem(last=False)
    else:
        _books.move_to_end(stamp)
    _latest[session.get_bind().engine] = book
    return book


async def cached_rule_book(session: AsyncSession) -> RuleBook:
    """Return the last book of this database without asking it; its stamp tells whether it is still the latest."""
    return _latest.get(session.get_bind().engine) or await rule_book(session)
