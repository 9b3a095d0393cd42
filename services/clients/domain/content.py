"""Texts that head office edits (CL-19, CALL-01, CALL-05): contract, consents, scripts, answers to objections.

K11, in part: there is no memo («памятка»).
"""

from collections.abc import Mapping
from enum import StrEnum
from string import Template

from shared.contracts.clients import CallGoal, ConsentPurpose


class ContentCode(StrEnum):  # noqa: D101 (a docstring would be published)
    CONTRACT = "contract"
    CONSENT_SERVICE = "consent_service"
    CONSENT_ADVERTISING = "consent_advertising"
    CONSENT_CALLS = "consent_calls"
    SCRIPT_FIRST_CALL = "script_first_call"
    SCRIPT_SECOND_CALL = "script_second_call"
    SCRIPT_ORDER_CONTACT = "script_order_contact"
    SCRIPT_ORDER_OFFER = "script_order_offer"
    SCRIPT_COLD_CALL = "script_cold_call"
    SCRIPT_PAYMENT_CHECK = "script_payment_check"
    OBJECTION_PRICE = "objection_price"
    OBJECTION_DELIVERY = "objection_delivery"
    OBJECTION_PREPAYMENT = "objection_prepayment"


CONSENT_DOCUMENTS: dict[ConsentPurpose, ContentCode] = {
    "service": ContentCode.CONSENT_SERVICE,
    "advertising": ContentCode.CONSENT_ADVERTISING,
    "calls": ContentCode.CONSENT_CALLS,
}

SCRIPTS: dict[CallGoal, ContentCode] = {
    "first_call": ContentCode.SCRIPT_FIRST_CALL,
    "second_call": ContentCode.SCRIPT_SECOND_CALL,
    "order_contact": ContentCode.SCRIPT_ORDER_CONTACT,
    "order_offer": ContentCode.SCRIPT_ORDER_OFFER,
    "cold_call": ContentCode.SCRIPT_COLD_CALL,
    "payment_check": ContentCode.SCRIPT_PAYMENT_CHECK,
}

OBJECTIONS = (ContentCode.OBJECTION_PRICE, ContentCode.OBJECTION_DELIVERY, ContentCode.OBJECTION_PREPAYMENT)
"""One for each reason of CALL-05."""


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace `$office`, `$manager` and the like; unknown placeholders stay as written."""
    return Template(text).safe_substitute(values)
