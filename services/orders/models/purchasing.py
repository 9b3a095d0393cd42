"""Suppliers, purchase orders and the history of supplies."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from services.orders.models.base import Base
from shared.contracts.orders import PurchaseOrderLine as LineFacts
from shared.contracts.orders import PurchaseOrderSent
from shared.persistence.database import OfficeOwned, Versioned


class Supplier(Versioned, OfficeOwned, Base):
    """An office's supplier; purchase orders are mailed to `email`."""

    __tablename__ = "supplier"
    __table_args__ = (
        Index("uq_supplier_office_name", "office_id", "name", unique=True),
        Index("ix_supplier_name", "name", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str | None] = mapped_column(String(50))
    note: Mapped[str | None] = mapped_column(String(1000))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class SupplierDay(OfficeOwned, Base):
    """Outcomes of one supplier on one UTC day; «96/3» is a sum over some hundred of these rows (ORD-16, K14)."""

    __tablename__ = "supplier_day"

    supplier_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    supplied: Mapped[int]
    refused: Mapped[int]
    late_days: Mapped[int]


class PurchaseOrder(Versioned, OfficeOwned, Base):
    """«Заказ поставщику»: the document, whose lines never change, whatever becomes of the positions."""

    __tablename__ = "purchase_order"
    __table_args__ = (
        Index("ix_purchase_order_office", "office_id", text("sent_at DESC"), text("id DESC")),
        Index("ix_purchase_order_supplier", "supplier_id", text("sent_at DESC"), text("id DESC")),
        Index("ix_purchase_order_sent", text("sent_at DESC"), text("id DESC")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    supplier_id: Mapped[UUID] = mapped_column(ForeignKey("supplier.id"))
    supplier_name: Mapped[str] = mapped_column(String(200))
    supplier_email: Mapped[str] = mapped_column(String(254))
    total: Mapped[Decimal]
    sendings: Mapped[int]
    """How often the document was mailed; only the first mail orders."""
    sent_by: Mapped[UUID]
    sent_at: Mapped[datetime]
    last_sent_at: Mapped[datetime]

    def as_sent(self, lines: list["PurchaseOrderLine"], *, at: datetime) -> PurchaseOrderSent:
        """Return the event that mails the document to the supplier, the first time or again."""
        return PurchaseOrderSent(
            office_id=self.office_id,
            version=self.version,
            occurred_at=at,
            purchase_order_id=self.id,
            number=self.number,
            supplier_id=self.supplier_id,
            supplier_name=self.supplier_name,
            supplier_email=self.supplier_email,
            lines=[line.as_facts() for line in lines],
            total=self.total,
            sending=self.sendings,
        )


class PurchaseOrderLine(OfficeOwned, Base):
    __tablename__ = "purchase_order_line"

    purchase_order_id: Mapped[UUID] = mapped_column(ForeignKey("purchase_order.id"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    position_id: Mapped[UUID]
    article: Mapped[str] = mapped_column(String(100))
    brand: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(String(300))
    quantity: Mapped[int]
    purchase_price: Mapped[Decimal]

    @property
    def amount(self) -> Decimal:
        return self.purchase_price * self.quantity

    def as_facts(self) -> LineFacts:
        return LineFacts(
            position_id=self.position_id,
            article=self.article,
            brand=self.brand,
            description=self.description,
            quantity=self.quantity,
            purchase_price=self.purchase_price,
        )
