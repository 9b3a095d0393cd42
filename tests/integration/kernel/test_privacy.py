"""Errors are logged without personal data."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.support.harness import ServiceHarness


async def test_the_error_of_a_failed_statement_shows_no_values(sample: ServiceHarness) -> None:
    with pytest.raises(DBAPIError) as failed:
        async with sample.session() as session:
            await session.execute(text("SELECT :name || no_such_column"), {"name": "Петрова Мария"})
    assert "no_such_column" in str(failed.value)
    assert "Петрова" not in str(failed.value)
