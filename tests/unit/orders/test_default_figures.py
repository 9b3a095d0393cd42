"""Figures of the regulations as the default policies have them, at the rules that use them."""

from decimal import Decimal

import pytest

from services.orders.defaults import first_policies
from services.orders.domain.inquiry_marks import InquiryFacts, suggest
from services.orders.domain.policies import InquiryPolicy, ReturnPolicy
from services.orders.domain.return_matrix import consult

INQUIRIES = InquiryPolicy.model_validate(first_policies()["inquiries"])
RETURNS = ReturnPolicy.model_validate(first_policies()["returns"])


@pytest.mark.clause("INQ-04")
@pytest.mark.parametrize(("total", "mark"), [("90000", None), ("90000.01", "vip")])
def test_an_inquiry_over_90_000_roubles_may_be_vip(total: str, mark: str | None) -> None:
    facts = InquiryFacts(total=Decimal(total), dearest=Decimal(5000), categories=[])
    assert suggest(INQUIRIES.marks, facts).mark == mark


@pytest.mark.clause("INQ-05")
@pytest.mark.parametrize(("dearest", "mark"), [("2000", None), ("1999.99", "bad")])
def test_a_one_off_purchase_under_2000_roubles_may_be_bad(dearest: str, mark: str | None) -> None:
    facts = InquiryFacts(total=Decimal(5000), dearest=Decimal(dearest), categories=[])
    assert suggest(INQUIRIES.marks, facts).mark == mark


@pytest.mark.clause("INQ-06")
def test_the_payment_of_an_invoice_is_looked_after_in_two_days() -> None:
    assert INQUIRIES.payment_check_days == 2


@pytest.mark.clause("RET-02", "RET-03", "RET-04", "RET-05", "RET-06")
@pytest.mark.parametrize(
    ("amount", "clause", "application", "says_why"),
    [
        (500, "RET-02", "simple", False),
        (2000, "RET-03", "simple", False),
        (5000, "RET-04", "detailed", True),
        (15000, "RET-05", "detailed", True),
        (15001, "RET-06", "detailed", True),
    ],
)
def test_an_application_over_2000_roubles_gives_the_reason_in_detail(
    amount: int, clause: str, application: str, says_why: bool
) -> None:
    row = consult(RETURNS, Decimal(amount), "consumable")
    assert (row.clause, row.application) == (clause, application)
    assert ("подробным описанием" in row.otherwise) is says_why
