"""A long SMS goes in parts, each with receipts of its own: together they show what became of the message."""

from collections.abc import Sequence
from itertools import permutations

import pytest

from services.notifier.delivery.domain.delivery import combine_parts


@pytest.mark.parametrize(
    ("receipts", "together"),
    [
        ([[], []], None),
        ([["delivered"], []], "sent"),
        ([["delivered"], ["sent"]], "sent"),
        ([["delivered", "sent"], ["delivered"]], "delivered"),
        ([["delivered"], ["failed"]], "failed"),
        ([[], ["expired"]], "expired"),
        ([["failed"], ["expired"]], "failed"),
        ([["failed", "delivered"], ["delivered"]], "delivered"),
        ([["unknown"], ["delivered"]], "sent"),
    ],
)
def test_what_the_parts_say_together(receipts: Sequence[Sequence[str]], together: str | None) -> None:
    for order in permutations(receipts):
        assert combine_parts(order) == together
        assert combine_parts([[*reversed(part), *part] for part in order]) == together
