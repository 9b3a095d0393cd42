"""F13 of the fault harness at its small scale, on the day that has been played anyway (ORG-04)."""

import pytest

from tests.system.isolation_check import probe_system
from tests.system.recording import Exchange
from tests.system.run_day import CompletedDay

REQUESTS = 900


@pytest.mark.clause("ORG-04")
@pytest.mark.timeout(300)
async def test_no_caller_gets_anything_of_another_office_or_client(
    completed_day: CompletedDay, exchanges: list[Exchange]
) -> None:
    verdict = await probe_system(completed_day, exchanges, seed=20260301, max_requests=REQUESTS)
    assert verdict.holds, "\n".join([*verdict.violations, str(verdict.figures)])
    assert verdict.figures["routes asked for foreign things"] > 90
