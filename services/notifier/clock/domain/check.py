"""Check a set of rules before it is published (NTF-03)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, islice, product
from math import prod
from typing import Any

from services.notifier.clock.domain.conditions import Condition, holds
from services.notifier.clock.domain.facts import CONCERNS, DEFAULTS, ID_FIELDS, concern_of, event_fields, known_facts
from services.notifier.clock.domain.rules import Rule, SubjectKind, Trigger, most_specific_rule
from shared.vocabulary.worktime import Unit

MAX_CASES = 20_000
"""Above this many combinations of facts an overlap is assumed rather than searched for."""

LIMIT_SUBJECTS = {"remove_order": "order", "disable_client": "client"}


@dataclass(frozen=True)
class Problem:
    """One finding about a rule."""

    code: str
    text: str
    """In Russian, for the person who edits the rules."""


def check(rules: Sequence[Rule]) -> list[Problem]:
    """Return the problems of the rules that would be in force together."""
    problems = [problem for rule in rules for problem in check_rule(rule)]
    return problems + list(_conflicts(rules))


def check_rule(rule: Rule) -> Iterator[Problem]:
    """Yield unknown events, facts and match fields, ladders that go backwards, limits that cannot act."""
    if not rule.opens and rule.every is None:
        yield Problem(rule.code, "Правило ничем не открывается: ни событием, ни календарём.")
    if not rule.closes and not rule.by_hand:
        yield Problem(rule.code, "Правило ничем не закрывается.")
    for event_type in (*rule.opens, *rule.changes):
        if event_type not in CONCERNS:
            yield Problem(rule.code, f"Неизвестное событие {event_type}.")
        elif concern_of(event_type, rule.subject) is None:
            yield Problem(rule.code, f"Событие {event_type} ничего не говорит о предмете «{rule.subject}».")
    facts = known_facts(rule.subject)
    for name in sorted(rule.when.fact_names() if rule.when else ()):
        if name not in facts:
            yield Problem(rule.code, f"Неизвестный факт «{name}» у предмета «{rule.subject}».")
    if rule.until is not None and rule.until not in facts:
        yield Problem(rule.code, f"Неизвестный факт «{rule.until}» у предмета «{rule.subject}».")
    for trigger in (*rule.closes, *rule.cancels, *rule.waits, *rule.resumes):
        yield from _check_trigger(rule, trigger)
    yield from _check_times(rule)
    if rule.limit is not None and LIMIT_SUBJECTS[rule.limit.action] != rule.subject:
        yield Problem(rule.code, f"Действие {rule.limit.action} не относится к предмету «{rule.subject}».")


def _check_trigger(rule: Rule, trigger: Trigger) -> Iterator[Problem]:
    if trigger.event not in CONCERNS:
        yield Problem(rule.code, f"Неизвестное событие {trigger.event}.")
        return
    fields = event_fields(trigger.event)
    own = ID_FIELDS[rule.subject]
    for name in trigger.match or (own,):
        if name not in fields:
            yield Problem(rule.code, f"В событии {trigger.event} нет поля «{name}».")
        elif name not in (own, "client_id"):
            yield Problem(rule.code, f"По полю «{name}» предмет «{rule.subject}» не находится.")
    for name in sorted(trigger.when.fact_names() if trigger.when else ()):
        if name not in fields:
            yield Problem(rule.code, f"В событии {trigger.event} нет поля «{name}».")


def _check_times(rule: Rule) -> Iterator[Problem]:
    if rule.duration.amount == 0 and rule.until is None:
        yield Problem(rule.code, "Срок должен быть больше нуля.")
    shares = [warning.share for warning in rule.warnings]
    if shares != sorted(set(shares)):
        yield Problem(rule.code, "Предупреждения идут по возрастанию доли срока и не повторяются.")
    if not rule.ladder:
        yield Problem(rule.code, "Лестница пуста: о нарушении никто не узнает.")
    units = {level.after.unit for level in rule.ladder if level.after.amount > 0}
    if len(units) > 1:
        yield Problem(rule.code, "Ступени лестницы считаются в одних единицах времени.")
    amounts = [level.after.amount for level in rule.ladder]
    if amounts != sorted(set(amounts)):
        yield Problem(rule.code, "Каждая ступень лестницы наступает позже предыдущей.")
    if any(limit.up_to.unit == Unit.WORKING_DAYS for limit in rule.longest_pauses):
        yield Problem(rule.code, "Предел паузы считается в рабочих минутах, часах или секундах.")
    roles = [limit.role for limit in rule.longest_pauses]
    if len(roles) != len(set(roles)):
        yield Problem(rule.code, "У каждой роли один предел паузы.")
    if rule.limit is not None and rule.limit.after.unit == Unit.WORKING_DAYS and rule.limit.after.amount > 365:
        yield Problem(rule.code, "Жёсткий предел дальше года не имеет смысла.")


def _conflicts(rules: Sequence[Rule]) -> Iterator[Problem]:
    for first, second in combinations(rules, 2):
        if first.obligation_kind != second.obligation_kind:
            continue
        if first.subject != second.subject:
            yield Problem(
                first.code, f"Обязанность «{first.obligation_kind}» у {second.code} относится к другому предмету."
            )
        elif first.repeats != second.repeats:
            yield Problem(first.code, f"{first.code} и {second.code} по-разному повторяются.")
        elif first.office_id == second.office_id and first.rank == second.rank:
            case = common_case(first.subject, first.when, second.when)
            if case is not None:
                case_text = ", ".join(f"{name} = {value}" for name, value in case.items()) or "любой случай"
                yield Problem(
                    first.code, f"{first.code} и {second.code} одного ранга подходят к одному случаю ({case_text})."
                )


def common_case(kind: SubjectKind, first: Condition | None, second: Condition | None) -> dict[str, Any] | None:
    """Return facts under which both conditions hold, or None where there are none."""
    values = _values([test for condition in (first, second) if condition for test in condition.tests()])
    if values is None:
        return {"сочетаний": f"больше {MAX_CASES}"}
    for combination in product(*values.values()):
        facts = {**DEFAULTS.get(kind, {}), **dict(zip(values, combination, strict=True))}
        if holds(first, facts) and holds(second, facts):
            return dict(zip(values, combination, strict=True))
    return None


def gaps(before: Sequence[Rule], after: Sequence[Rule], draft: Rule) -> Iterator[Problem]:
    """Yield a case that had a rule of this obligation and would have none any more.

    For example a paid order that no manager has to process.
    """
    old = [rule for rule in before if rule.obligation_kind == draft.obligation_kind and rule.subject == draft.subject]
    new = [rule for rule in after if rule.obligation_kind == draft.obligation_kind and rule.subject == draft.subject]
    values = _values([test for rule in (*old, *new) if rule.when for test in rule.when.tests()])
    if values is None:
        return
    for combination in product(*values.values()):
        case = dict(zip(values, combination, strict=True))
        facts = {**DEFAULTS.get(draft.subject, {}), **case}
        if most_specific_rule(old, draft.obligation_kind, draft.office_id, facts) and not most_specific_rule(
            new, draft.obligation_kind, draft.office_id, facts
        ):
            case_text = ", ".join(f"{name} = {value}" for name, value in case.items()) or "любой"
            yield Problem(
                draft.code, f"Случай ({case_text}) остаётся без правила обязанности «{draft.obligation_kind}»."
            )
            return


def _values(tests: Sequence[Condition]) -> dict[str, list[Any]] | None:
    """Return the interesting values of every fact; None where their combinations are too many to be searched."""
    names = sorted({test.fact for test in tests if test.fact})
    values = {name: list(islice(_boundary_values(name, tests), MAX_CASES + 1)) for name in names}
    return values if prod(map(len, values.values())) <= MAX_CASES else None


def _boundary_values(name: str, tests: Iterable[Condition]) -> Iterator[Any]:
    """Yield values of one fact that tell its tests apart: those they mention, their neighbours, something else."""
    scalars: list[Any] = []
    items: list[Any] = []
    numbers: list[float] = []
    for test in tests:
        if test.fact != name:
            continue
        if test.contains is not None:
            items.append(test.contains)
        scalars += [value for value in (test.equals, *(test.one_of or ())) if value is not None]
        numbers += [bound for bound in (test.at_least, test.below) if bound is not None]
    numbers += [value for value in scalars if isinstance(value, int | float) and not isinstance(value, bool)]
    seen: set[tuple[type, str]] = set()
    candidates: list[Any] = [*scalars]
    if any(isinstance(value, bool) for value in scalars):
        candidates += [True, False]
    elif not numbers and not items:
        candidates.append("что-то другое")
    for number in sorted(set(numbers)):
        candidates += [number - 1, number, number + 1]
    different = sorted(set(items), key=str)
    sizes = range(len(different) + 1 if items else 0)
    lists = (list(chosen) for size in sizes for chosen in combinations(different, size))
    for candidate in chain(candidates, lists):
        key = (type(candidate), repr(candidate))
        if key not in seen:
            seen.add(key)
            yield candidate
