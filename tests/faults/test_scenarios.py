"""Every scenario at its small scale; the random deaths of F1 only with the office, which has them too."""

import pytest

from tests.faults.scenarios import SCENARIOS
from tests.faults.scenarios.base import Run


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name != "F1-samples"])
async def test_nothing_is_lost_and_nothing_happens_twice(name: str, small: Run) -> None:
    verdict = await SCENARIOS[name].run(small)
    assert verdict.holds, "\n".join([*verdict.violations, str(verdict.figures)])
