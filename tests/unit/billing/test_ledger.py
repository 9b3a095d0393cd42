"""Pure rules of the ledger, by random sequences."""

from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing.domain import ledger
from services.billing.domain.ledger import ZERO, LedgerAccount, Posting

POSITION = UUID(int=1)
amounts = st.decimals(min_value="0.01", max_value="100000", places=2)


@given(st.lists(st.tuples(st.sampled_from(["pay", "hold", "release", "sell", "refund", "pay out"]), amounts)))
def test_any_sequence_keeps_every_entry_balanced_and_the_balance_the_sum(steps: list[tuple[str, Decimal]]) -> None:
    balance = held = expected = ZERO
    for step, amount in steps:
        available = balance - held
        postings: list[Posting]
        if step == "pay":
            postings, expected = ledger.payment("cash", amount), expected + amount
        elif step == "hold":
            if available <= ZERO:
                continue
            postings = ledger.hold(min(amount, available), POSITION)
        elif step == "release":
            if not held:
                continue
            postings = ledger.release(min(amount, held), POSITION)
        elif step == "sell":
            from_hold = min(amount, held)
            postings, expected = ledger.sale(from_hold, amount - from_hold, POSITION), expected - amount
        elif step == "refund":
            postings, expected = ledger.refund(amount, POSITION), expected + amount
        else:
            postings, expected = ledger.payout("card", amount), expected - amount
        change, held_change = ledger.effect(postings)
        balance, held = balance + change, held + held_change
        assert held >= ZERO
    assert balance == expected


def test_an_unbalanced_entry_is_refused() -> None:
    with pytest.raises(ValueError, match="zero"):
        ledger.effect([Posting(LedgerAccount.CASH, Decimal(1))])


@given(amounts, st.lists(amounts, max_size=20))
def test_an_allocation_never_exceeds_the_money_nor_a_need(available: Decimal, needs: list[Decimal]) -> None:
    wanted = [(UUID(int=number), need) for number, need in enumerate(needs)]
    shares = ledger.allocate(available, wanted)
    assert sum((share for _, share in shares), ZERO) == min(available, sum(needs, ZERO))
    assert all(ZERO < share <= dict(wanted)[key] for key, share in shares)
    assert [key for key, _ in shares] == [key for key, _ in wanted[: len(shares)]], "the first come first"
