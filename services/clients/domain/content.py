"""Texts that head office edits: the contract, consents, scripts (CL-19, CALL-01…06)."""

from collections.abc import Mapping
from enum import StrEnum
from string import Template

from shared.contracts.clients import CallGoal, ConsentPurpose


class ContentCode(StrEnum):
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
"""CALL-05."""


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put `$office`, `$manager` … into a text; unknown placeholders stay as written."""
    return Template(text).safe_substitute(values)
