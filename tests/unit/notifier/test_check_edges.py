"""The words in which a set of rules is refused, at the first value that is refused."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.notifier.clock.domain.check import MAX_CASES, Problem, check, check_rule, common_case, gaps
from services.notifier.clock.domain.conditions import Condition
from services.notifier.clock.domain.rules import Rule
from shared.persistence.database import new_id
from tests.unit.notifier.test_rules import PAID, UNPAID, rule

OFFICE = new_id()
PLACED = "orders.order.placed.v1"
UNKNOWN = "orders.order.unknown.v1"
WORKING = "working_minutes"


def level(role: str, amount: int, unit: str = WORKING) -> dict[str, Any]:
    return {"role": role, "after": {"amount": amount, "unit": unit}}


def pause(role: str | None, amount: int = 10, unit: str = WORKING) -> dict[str, Any]:
    return {"role": role, "up_to": {"amount": amount, "unit": unit}}


def limit(action: str, amount: int = 1, unit: str = WORKING) -> dict[str, Any]:
    return {"action": action, "after": {"amount": amount, "unit": unit}}


def condition(**tree: Any) -> Condition:
    return Condition.model_validate(tree)


def texts(**changes: Any) -> list[str]:
    problems = list(check_rule(rule(**changes)))
    assert {problem.code for problem in problems} <= {"ORD-04"}
    return [problem.text for problem in problems]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"opens": []}, "Правило ничем не открывается: ни событием, ни календарём."),
        ({"closes": []}, "Правило ничем не закрывается."),
        ({"opens": [UNKNOWN]}, f"Неизвестное событие {UNKNOWN}."),
        ({"changes": [UNKNOWN]}, f"Неизвестное событие {UNKNOWN}."),
        (
            {"opens": ["clients.client.registered.v1"]},
            "Событие clients.client.registered.v1 ничего не говорит о предмете «order».",
        ),
        ({"when": {"fact": "amount", "is": 1}}, "Неизвестный факт «amount» у предмета «order»."),
        ({"until": "disable_at"}, "Неизвестный факт «disable_at» у предмета «order»."),
        ({"closes": [{"event": UNKNOWN}]}, f"Неизвестное событие {UNKNOWN}."),
        ({"cancels": [{"event": UNKNOWN}]}, f"Неизвестное событие {UNKNOWN}."),
        ({"waits": [{"event": UNKNOWN, "holder": "client"}]}, f"Неизвестное событие {UNKNOWN}."),
        ({"resumes": [{"event": UNKNOWN}]}, f"Неизвестное событие {UNKNOWN}."),
        (
            {"closes": [{"event": PLACED, "match": ["claim_id"]}]},
            f"В событии {PLACED} нет поля «claim_id».",
        ),
        (
            {"closes": [{"event": PLACED, "match": ["office_id"]}]},
            "По полю «office_id» предмет «order» не находится.",
        ),
        (
            {"closes": [{"event": "clients.client.registered.v1"}]},
            "В событии clients.client.registered.v1 нет поля «order_id».",
        ),
        (
            {"closes": [{"event": PLACED, "when": {"fact": "rating", "is": 1}}]},
            f"В событии {PLACED} нет поля «rating».",
        ),
        ({"duration": {"amount": 0, "unit": WORKING}}, "Срок должен быть больше нуля."),
        (
            {"warnings": [{"share": 50}, {"share": 49}]},
            "Предупреждения идут по возрастанию доли срока и не повторяются.",
        ),
        (
            {"warnings": [{"share": 50}, {"share": 50}]},
            "Предупреждения идут по возрастанию доли срока и не повторяются.",
        ),
        ({"ladder": []}, "Лестница пуста: о нарушении никто не узнает."),
        (
            {"ladder": [level("manager", 1), level("director", 2, "working_days")]},
            "Ступени лестницы считаются в одних единицах времени.",
        ),
        (
            {"ladder": [level("manager", 2), level("director", 1)]},
            "Каждая ступень лестницы наступает позже предыдущей.",
        ),
        (
            {"ladder": [level("manager", 1), level("director", 1)]},
            "Каждая ступень лестницы наступает позже предыдущей.",
        ),
        (
            {"longest_pauses": [pause(None, unit="working_days")]},
            "Предел паузы считается в рабочих минутах, часах или секундах.",
        ),
        ({"longest_pauses": [pause("manager"), pause("manager", 20)]}, "У каждой роли один предел паузы."),
        ({"limit": limit("remove_order", 366, "working_days")}, "Жёсткий предел дальше года не имеет смысла."),
        ({"limit": limit("disable_client")}, "Действие disable_client не относится к предмету «order»."),
    ],
)
def test_a_problem_is_said_in_words(changes: dict[str, Any], text: str) -> None:
    assert texts(**changes) == [text]


@pytest.mark.parametrize(
    "changes",
    [
        {"opens": [], "every": {"period": "day"}},
        {"closes": [], "by_hand": True},
        {"when": {"fact": "checked", "is": True}},
        {"closes": [{"event": PLACED, "match": ["order_id", "client_id"], "when": {"fact": "total", "at_least": 1}}]},
        {"duration": {"amount": 1, "unit": WORKING}},
        {"warnings": [{"share": 49}, {"share": 50}]},
        {"ladder": [level("manager", 0, "working_days"), level("director", 1)]},
        {"ladder": [level("manager", 1), level("director", 2)]},
        {"longest_pauses": [pause("manager"), pause(None), pause("director", 2, "calendar_hours")]},
        {"limit": limit("remove_order", 365, "working_days")},
        {"limit": limit("remove_order", 1000)},
    ],
)
def test_at_the_edge_nothing_is_wrong(changes: dict[str, Any]) -> None:
    assert texts(**changes) == []


def test_a_deadline_named_by_an_event_needs_no_duration() -> None:
    fields = {"subject": "client", "opens": ["clients.contacts.requested.v1"], "until": "disable_at"}
    closes = [{"event": "clients.contacts.corrected.v1"}]
    zero = {"amount": 0, "unit": "calendar_hours"}
    assert [text for text in texts(**fields, closes=closes, duration=zero) if "Срок" in text] == []


def test_an_unknown_event_of_a_trigger_is_named_once() -> None:
    trigger = {"event": UNKNOWN, "match": ["claim_id"], "when": {"fact": "rating", "is": 1}}
    assert texts(closes=[trigger]) == [f"Неизвестное событие {UNKNOWN}."]


# ── Conflicts ──


def conflict(first: Rule, second: Rule) -> list[str]:
    return [problem.text for problem in check([first, second])]


def test_rules_of_one_duty_agree_about_subject_and_repetition() -> None:
    first = rule()
    other = rule(code="VIN-05", subject="vin_request", opens=["vin.request.submitted.v1"], closes=[], by_hand=True)
    assert conflict(first, other) == ["Обязанность «payment_contact» у VIN-05 относится к другому предмету."]
    repeating = rule(code="ORD-05", repeats=True)
    assert conflict(first, repeating) == ["ORD-04 и ORD-05 по-разному повторяются."]
    assert check([first, repeating])[0].code == "ORD-04"
    assert conflict(first, rule(code="ORD-05", duty="other", repeats=True)) == []


def test_two_rules_of_one_rank_name_their_common_case() -> None:
    first = rule()
    assert conflict(first, rule(code="ORD-05")) == [
        "ORD-04 и ORD-05 одного ранга подходят к одному случаю (любой случай)."
    ]
    paid, retail = rule(when=PAID), rule(code="ORD-05", when={"fact": "client_category", "is": "retail"})
    assert conflict(paid, retail) == [
        "ORD-04 и ORD-05 одного ранга подходят к одному случаю (client_category = retail, paid = True)."
    ]
    assert conflict(paid, rule(code="ORD-05", when=UNPAID)) == []
    assert conflict(first, rule(code="ORD-05", when=PAID)) == []
    own = rule(code="ORD-05", office_id=OFFICE)
    assert conflict(first, own) == []
    assert conflict(own, rule(code="ORD-06", office_id=OFFICE)) != []
    assert conflict(own, rule(code="ORD-06", office_id=new_id())) == []


def test_every_pair_is_compared() -> None:
    three = [rule(code=code) for code in ("ORD-04", "ORD-05", "ORD-06")]
    assert len(check(three)) == 3
    assert [problem.text for problem in check([*three[:1], rule(code="ORD-07", duty="other", ladder=[])])] == [
        "Лестница пуста: о нарушении никто не узнает."
    ]


def test_a_rule_of_another_duty_hides_no_conflict() -> None:
    other = rule(code="ORD-05", duty="other")
    assert [problem.code for problem in check([rule(), other, rule(code="ORD-06")])] == ["ORD-04"]


@pytest.mark.parametrize(
    ("first", "second", "case"),
    [
        (None, None, {}),
        ({"fact": "total", "at_least": 10}, {"fact": "total", "below": 10}, None),
        ({"fact": "total", "at_least": 10}, {"fact": "total", "below": 11}, {"total": 10}),
        ({"fact": "total", "below": 10}, None, {"total": 9}),
        ({"fact": "channel", "in": ["a", "b"]}, {"fact": "channel", "in": ["b", "c"]}, {"channel": "b"}),
        ({"not": {"fact": "channel", "is": "a"}}, None, {"channel": "что-то другое"}),
        ({"not": {"fact": "paid", "is": True}}, None, {"paid": False}),
        ({"fact": "goals", "has": "a"}, {"fact": "goals", "has": "b"}, {"goals": ["a", "b"]}),
        ({"not": {"fact": "goals", "has": "a"}}, None, {"goals": []}),
        ({"fact": "rating", "is": 3}, {"fact": "rating", "at_least": 3}, {"rating": 3}),
        ({"fact": "rating", "is": 3}, {"not": {"fact": "rating", "below": 4}}, None),
        ({"not": {"fact": "rating", "is": 3}}, {"fact": "rating", "below": 4}, {"rating": 2}),
        ({"not": {"fact": "rating", "is": 3}}, {"fact": "rating", "at_least": 3}, {"rating": 4}),
        ({"fact": "checked", "is": False}, None, {"checked": False}),
    ],
)
def test_a_common_case_is_found_at_the_edges(
    first: dict[str, Any] | None, second: dict[str, Any] | None, case: dict[str, Any] | None
) -> None:
    one, other = (None if tree is None else condition(**tree) for tree in (first, second))
    assert common_case("order", one, other) == case


def test_facts_that_are_false_by_default_take_part_in_a_case() -> None:
    unchecked = condition(fact="checked", **{"is": False})
    # Nothing else is asked about, so the default decides.
    assert common_case("order", unchecked, condition(fact="paid", **{"is": True})) == {"checked": False, "paid": True}
    checked = condition(all=[{"fact": "checked", "is": True}, {"fact": "checked", "is": False}])
    assert common_case("order", checked, None) is None


def test_too_many_cases_are_assumed_to_overlap() -> None:
    fields = ("channel", "client_category", "group", "city", "kind")
    sizes = (29, 25, 25)
    many = [
        {"fact": name, "in": [f"v{number}" for number in range(size)]}
        for name, size in zip(fields, sizes, strict=False)
    ]
    assert MAX_CASES < 30 * 26 * 26
    assert common_case("order", condition(all=many), None) == {"сочетаний": "больше 20000"}
    assert common_case("order", condition(all=many[:2]), None) == {"channel": "v0", "client_category": "v0"}


# ── Gaps ──


def gap(before: list[Rule], after: list[Rule], draft: Rule) -> list[Problem]:
    return list(gaps(before, after, draft))


def test_a_case_that_loses_its_rule_is_named() -> None:
    general, paid = rule(), rule(code="ORD-05", when=PAID)
    assert gap([general], [paid], paid) == [
        Problem("ORD-05", "Случай (paid = False) остаётся без правила обязанности «payment_contact».")
    ]
    assert gap([general], [], general) == [
        Problem("ORD-04", "Случай (любой) остаётся без правила обязанности «payment_contact».")
    ]
    assert gap([general], [general, paid], paid) == []
    assert gap([paid], [general], general) == []


def test_other_duties_subjects_and_offices_fill_no_gap() -> None:
    general = rule()
    assert len(gap([general], [rule(code="ORD-05", duty="other")], general)) == 1
    request = rule(code="VIN-05", subject="vin_request")
    assert len(gap([general], [request], general)) == 1
    assert gap([request], [], general) == []
    assert len(gap([general], [rule(office_id=OFFICE)], general)) == 1
    own = rule(office_id=OFFICE)
    assert gap([own], [general], own) == []
    assert gap([own], [rule(code="ORD-05", office_id=OFFICE)], own) == []
    assert len(gap([own], [rule(office_id=new_id())], own)) == 1


def test_a_gap_is_judged_with_the_defaults() -> None:
    unchecked = rule(when={"fact": "checked", "is": False})
    later = rule(when={"all": [{"fact": "checked", "is": False}, PAID]})
    assert [problem.text for problem in gap([unchecked], [later], later)] == [
        "Случай (checked = False, paid = False) остаётся без правила обязанности «payment_contact»."
    ]


def test_too_many_cases_are_not_searched_for_gaps() -> None:
    many = [
        {"fact": name, "in": [f"v{number}" for number in range(29)]} for name in ("channel", "client_category", "total")
    ]
    wide = rule(when={"all": many}, effective_from=datetime(2020, 1, 1, tzinfo=UTC))
    assert gap([rule()], [wide], wide) == []
