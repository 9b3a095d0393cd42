"""Table of returns.

Clauses: RET-02, RET-03, RET-04, RET-05, RET-06, RET-08, RET-09, RET-10.
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from services.orders.domain.return_matrix import Ground
from services.orders.models.base import Base, stored
from shared.contracts.orders import PartKind
from shared.persistence.database import ClientOwned, Versioned

Decision = Literal["accepted", "kept", "rejected"]
SupplierVerdict = Literal["takes_back", "refuses"]
ClientAnswer = Literal["agreed", "declined"]


class Claim(Versioned, ClientOwned, Base):
    """A return, open until `decision` is set; a position has at most one open return."""

    __tablename__ = "claim"
    __table_args__ = (
        Index("ix_claim_office", "office_id", text("opened_at DESC"), text("id DESC")),
        Index("ix_claim_client", "client_id", text("opened_at DESC"), text("id DESC")),
        Index("ix_claim_opened", text("opened_at DESC"), text("id DESC")),
        Index(
            "ix_claim_office_open",
            "office_id",
            text("opened_at DESC"),
            text("id DESC"),
            postgresql_where=text("decision IS NULL"),
        ),
        Index("uq_claim_open_position", "position_id", unique=True, postgresql_where=text("decision IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("customer_order.id"))
    position_id: Mapped[UUID] = mapped_column(ForeignKey("position.id"))
    article: Mapped[str] = mapped_column(String(100))
    brand: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(String(300))
    quantity: Mapped[int]
    amount: Mapped[Decimal]
    purchase_amount: Mapped[Decimal | None]
    """Roubles that the claimed quantity cost in purchase; the client never sees it."""
    kind: Mapped[PartKind] = mapped_column(String(24))
    ground: Mapped[Ground] = mapped_column(stored(Ground))
    client_kind: Mapped[str] = mapped_column(String(24))
    issued_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(4000))
    opened_by: Mapped[UUID]
    opened_at: Mapped[datetime]
    supplier_verdict: Mapped[SupplierVerdict | None] = mapped_column(String(24))
    """Whether the supplier takes the part back (RET-09); None until it was asked."""
    supplier_comment: Mapped[str | None] = mapped_column(String(1000))
    supplier_checked_at: Mapped[datetime | None]
    offer_code: Mapped[str | None] = mapped_column(String(24))
    offer_text: Mapped[str | None] = mapped_column(String(500))
    discount_percent: Mapped[int | None]
    agreed_price: Mapped[Decimal | None]
    next_discount_percent: Mapped[int | None]
    discount_scope: Mapped[Literal["next_order", "all_orders"] | None] = mapped_column(String(24))
    keeping_refund: Mapped[Decimal | None]
    """Roubles that the offer would return to the balance."""
    client_answer: Mapped[ClientAnswer | None] = mapped_column(String(24))
    answered_at: Mapped[datetime | None]
    decision: Mapped[Decision | None] = mapped_column(String(24))
    decision_reason: Mapped[str | None] = mapped_column(String(4000))
    refund: Mapped[Decimal | None]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
