"""F13 of the fault harness at its small scale, on the day that has been played anyway (ORG-04)."""

import pytest

from tests.system.isolation_check import spied_out
from tests.system.recording import Exchange
from tests.system.run_day import Played

REQUESTS = 900


@pytest.mark.timeout(300)
async def test_nobody_gets_anything_of_another_office_or_client(played: Played, exchanges: list[Exchange]) -> None:
    verdict = await spied_out(played, exchanges, seed=20260301, most=REQUESTS)
    assert verdict.holds, "\n".join([*verdict.violations, str(verdict.figures)])
    assert verdict.figures["routes asked for foreign things"] > 90
