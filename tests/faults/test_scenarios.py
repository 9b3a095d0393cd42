"""Every scenario at its small scale, except those that others cover.

F1 covers F1-samples, F2 covers F2-office; F13 is played on the day of the system tests.
"""

import pytest

from tests.faults.scenarios import SCENARIOS
from tests.faults.scenarios.base import Run

ELSEWHERE = ("F1-samples", "F2-office", "F13")


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name not in ELSEWHERE])
async def test_nothing_is_lost_and_nothing_happens_twice(name: str, small: Run) -> None:
    verdict = await SCENARIOS[name].run(small)
    assert verdict.holds, "\n".join([*verdict.violations, str(verdict.figures)])
