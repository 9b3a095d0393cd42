"""`./reglament mutate`: what is mutated, by which tests it is judged, and what does not count as a change."""

from pathlib import Path

import pytest

from devtools.mutation import MutatedFile, changes_a_sentence, folders_of_tests, is_under, module_of, target_files

ORIGINAL = ["def x_add__mutmut_orig(a):", "    # The sum.", "    return a + 1", ""]
MUTANT = ["def x_add__mutmut_1(a):", "    # The sum.", "    return a - 1", ""]


def test_rules_of_every_service_and_the_kernel_are_mutated() -> None:
    found = {str(path) for path in target_files()}
    assert {
        "services/billing/domain/ledger.py",
        "services/billing/domain/documents/data.py",
        "services/notifier/clock/domain/check.py",
        "services/notifier/texts/domain.py",
        "shared/messaging/relay.py",
        "shared/web/problems.py",
    } <= found
    assert not [path for path in found if path.startswith(("shared/base", "services/billing/commands", "tests"))]


def test_rules_are_judged_by_their_unit_tests_and_the_kernel_also_with_servers() -> None:
    assert folders_of_tests([Path("services/vin/domain/brand.py")]) == ["tests/unit/vin"]
    both = folders_of_tests([Path("services/vin/domain/brand.py"), Path("shared/web/route.py")])
    assert both == ["tests/unit/kernel", "tests/unit/vin", "tests/integration/kernel"]


def test_a_path_names_a_file_or_a_folder() -> None:
    path = Path("services/vin/domain/brand.py")
    assert is_under(path, ["services/vin/"])
    assert is_under(path, ["shared", "services/vin/domain/brand.py"])
    assert not is_under(path, ["services/vi", "shared"])
    assert module_of(path) == "services.vin.domain.brand"
    assert module_of(Path("shared/web/__init__.py")) == "shared.web"


def test_a_mutant_is_shown_by_what_it_changes() -> None:
    spans = {"x_add__mutmut_orig": (1, 3), "x_add__mutmut_1": (5, 7)}
    file = MutatedFile(Path("a.py"), [*ORIGINAL, *MUTANT], ["x_add__mutmut_1"], spans)
    assert file.diff("x_add__mutmut_1").splitlines() == ["@@ -3 +3 @@", "-    return a + 1", "+    return a - 1"]


@pytest.mark.parametrize(
    ("before", "after", "left_out"),
    [
        ('raise Invalid("Нужно число.", field="a")', 'raise Invalid("XXНужно число.XX", field="a")', True),
        ('raise Invalid("Нужно число.", field="a")', 'raise Invalid("НУЖНО ЧИСЛО.", field="a")', True),
        ('raise Invalid("Нужно число.", field="a")', 'raise Invalid("Нужно число.", field="A")', False),
        ('raise Invalid("Нужно число.", field="a")', "raise Invalid(None, field='a')", False),
        ('return "paid"', 'return "XXpaidXX"', False),
        ('" ".join(a)', '"XX XX".join(a)', False),
    ],
)
def test_only_the_letters_of_a_sentence_do_not_count(before: str, after: str, left_out: bool) -> None:
    assert changes_a_sentence(f"@@ -1 +1 @@\n-{before}\n+{after}") is left_out
