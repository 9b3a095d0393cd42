"""The HTTP kit of a service."""

from shared.web.access import NO_IDEMPOTENCY_KEY, Caller, allow, before_transaction, public
from shared.web.models import (
    Input,
    LongText,
    Output,
    PositiveInteger,
    Price,
    Quantity,
    SearchText,
    ShortText,
)
from shared.web.pagination import Page, PageRequest, paginate
from shared.web.route import Session, service_router
from shared.web.versions import IfMatch, check_version, set_etag

__all__ = [
    "NO_IDEMPOTENCY_KEY",
    "Caller",
    "IfMatch",
    "Input",
    "LongText",
    "Output",
    "Page",
    "PageRequest",
    "PositiveInteger",
    "Price",
    "Quantity",
    "SearchText",
    "Session",
    "ShortText",
    "allow",
    "before_transaction",
    "check_version",
    "paginate",
    "public",
    "service_router",
    "set_etag",
]
