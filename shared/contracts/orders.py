"""Events of `orders`: inquiries, orders, positions, purchase orders, shipments, claims."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Event, Facts, InRoubles, Instant, Roubles
from shared.contracts.clients import Vehicle

PartKind = Literal["consumable", "body", "individual", "rare", "other"]
"""RET-03…06, K16."""


class PositionLine(Facts):
    """What a position is; `amount` = sale price × quantity."""

    position_id: UUID
    article: str
    brand: str
    description: str
    quantity: int
    sale_price: Roubles
    amount: Roubles
    origin_position_id: UUID | None = None
    """The position of the placed order that this one was split from (partial receipt, refusal, issue or return); its
    amount is a part of that one's.  None when it never was split off."""


class OrderPlaced(Event, InRoubles, type="orders.order.placed.v1", subject="order_id"):
    """A basket became an order; its positions stand «На модерации» (ORD-01)."""

    office_id: UUID
    order_id: UUID
    number: str
    client_id: UUID
    client_category: str
    wholesale: bool
    channel: Literal["cabinet", "office"]
    positions: list[PositionLine]
    total: Roubles
    check_requested: bool
    paid: bool = False
    vehicle: Vehicle | None = None
    placed_at: Instant


class CheckResult(Facts):
    position_id: UUID
    article: str
    brand: str
    description: str
    applicable: bool
    comment: str | None = None


class ApplicabilityChecked(Event, type="orders.applicability.checked.v1", subject="order_id"):
    """ORD-06: the check is finished; its result is written to the client, position by position."""

    office_id: UUID
    order_id: UUID
    number: str
    client_id: UUID
    paid: bool
    checked_by: UUID
    results: list[CheckResult]


class OrderProcessed(Event, type="orders.order.processed.v1", subject="order_id"):
    """No position of the order is under moderation any more (closes ORD-05 and ORD-07)."""

    office_id: UUID
    order_id: UUID
    client_id: UUID


class PositionRemoved(Event, InRoubles, type="orders.position.removed.v1", subject="position_id"):
    """«Снят» (ORD-08): `comment` is addressed to the client; `automatic` for ORD-07."""

    office_id: UUID
    order_id: UUID
    order_number: str
    position_id: UUID
    client_id: UUID
    article: str
    brand: str
    description: str
    amount: Roubles
    reason_code: str
    comment: str
    automatic: bool
    origin_position_id: UUID | None = None
    """See `PositionLine`."""


class PositionOrdered(Event, InRoubles, type="orders.position.ordered.v1", subject="position_id"):
    """«Заказ отправлен»: the position is on a purchase order."""

    office_id: UUID
    order_id: UUID
    position_id: UUID
    client_id: UUID
    supplier_id: UUID
    purchase_order_id: UUID
    amount: Roubles
    origin_position_id: UUID | None = None
    """See `PositionLine`."""


class PositionRefused(Event, InRoubles, type="orders.position.refused.v1", subject="position_id"):
    """«Отказ поставщика».  When `final`, its prepayment returns to the balance (BILL-03)."""

    office_id: UUID
    order_id: UUID
    order_number: str
    position_id: UUID
    client_id: UUID
    supplier_id: UUID
    article: str
    brand: str
    description: str
    amount: Roubles
    reason: str
    final: bool
    origin_position_id: UUID | None = None
    """See `PositionLine`."""


class PositionReceived(Event, InRoubles, type="orders.position.received.v1", subject="position_id"):
    """«Готов к выдаче» (ORD-09)."""

    office_id: UUID
    order_id: UUID
    position_id: UUID
    client_id: UUID
    amount: Roubles
    origin_position_id: UUID | None = None
    """See `PositionLine`."""


class GoodsReady(Event, InRoubles, type="orders.goods.ready.v1", subject="order_id"):
    """Positions of one order became ready in one action: one SMS to the client (NTF-02)."""

    office_id: UUID
    order_id: UUID
    number: str
    client_id: UUID
    positions: list[PositionLine]
    complete: bool
    """True when nothing of the order is still on its way."""


class PurchaseOrderLine(Facts):
    position_id: UUID
    article: str
    brand: str
    description: str
    quantity: int
    purchase_price: Roubles


class PurchaseOrderSent(Event, InRoubles, type="orders.purchase_order.sent.v1", subject="purchase_order_id"):
    """«Заказ поставщику»: the notifier mails it to the supplier with a spreadsheet."""

    office_id: UUID
    purchase_order_id: UUID
    number: str
    supplier_id: UUID
    supplier_name: str
    supplier_email: str
    lines: list[PurchaseOrderLine]
    total: Roubles
    sending: int = 1
    """1 for the order itself; 2, 3 … when the same document was sent again on request: nothing is ordered anew."""


class GoodsIssued(Event, InRoubles, type="orders.goods.issued.v1", subject="shipment_id"):
    """«Выдано» (ORD-10): billing prints the «расходная накладная» and books the sale."""

    office_id: UUID
    shipment_id: UUID
    number: str
    client_id: UUID
    order_ids: list[UUID]
    positions: list[PositionLine]
    total: Roubles
    issued_by: UUID
    issued_at: Instant


class ClaimOpened(Event, InRoubles, type="orders.claim.opened.v1", subject="claim_id"):
    """A return was asked for; 48 calendar hours to decide (RET-08)."""

    office_id: UUID
    claim_id: UUID
    number: str
    order_id: UUID
    position_id: UUID
    client_id: UUID
    article: str
    brand: str
    description: str
    kind: PartKind
    amount: Roubles
    reason: str
    opened_at: Instant


class ClaimDecided(Event, InRoubles, type="orders.claim.decided.v1", subject="claim_id"):
    """The dispute is decided (closes RET-08).

    `accepted`: the part comes back and `refund` goes to the balance; `kept`: the client keeps the part with a
    discount and `refund` is that discount; `rejected`: nothing moves.
    """

    office_id: UUID
    claim_id: UUID
    number: str
    order_id: UUID
    position_id: UUID
    client_id: UUID
    article: str
    brand: str
    description: str
    quantity: int
    decision: Literal["accepted", "kept", "rejected"]
    reason: str
    refund: Roubles
    next_discount_percent: int | None = None
    discount_scope: Literal["next_order", "all_orders"] | None = None
    decided_by: UUID
    decided_at: Instant
    origin_position_id: UUID | None = None
    """See `PositionLine`."""


class InquiryRecorded(Event, type="orders.inquiry.recorded.v1", subject="inquiry_id"):
    """INQ-01: a visit, a call or a message was recorded.  No personal data."""

    office_id: UUID
    inquiry_id: UUID
    staff_id: UUID
    channel: Literal["visit", "phone", "email", "messenger", "site"]
    mark: Literal["vip", "bad"] | None = None
    status: Literal["open", "won", "lost"]
    lost_reason: str | None = None
    recorded_at: Instant
    items: list[str] = Field(default=[])
    """Names of the products or product types asked for: «которые товары интересуют»."""
    lost_reason_label: str | None = None
    """What people read in place of the code `lost_reason`."""


class InquiryStatusChanged(Event, type="orders.inquiry.status_changed.v1", subject="inquiry_id"):
    """INQ-03: a status is set during or after every conversation; a lost inquiry has a reason."""

    office_id: UUID
    inquiry_id: UUID
    staff_id: UUID
    mark: Literal["vip", "bad"] | None = None
    status: Literal["open", "won", "lost"]
    lost_reason: str | None = None
    order_id: UUID | None = None
    lost_reason_label: str | None = None
    conversation: bool = True
    """False where only the mark was set: nobody has talked to the client."""
