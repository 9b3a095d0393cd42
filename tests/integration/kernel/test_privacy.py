"""What goes wrong is logged without people's data."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.support.harness import ServiceHarness


async def test_a_failed_statement_does_not_tell_its_values(sample: ServiceHarness) -> None:
    with pytest.raises(DBAPIError) as failed:
        async with sample.session() as session:
            await session.execute(text("SELECT :name || no_such_column"), {"name": "Петрова Мария"})
    assert "no_such_column" in str(failed.value)
    assert "Петрова" not in str(failed.value)
