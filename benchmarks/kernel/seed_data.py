"""Offices, clients, baskets and positions in numbers, made by PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg

from devtools.testing.databases import ScratchUrls, scratch_database
from devtools.testing.infrastructure import Infrastructure
from shared.persistence import migrate
from shared.persistence.database import new_id

POSITIONS = 5
"""In each basket."""

_CLIENTS = (
    "INSERT INTO client (client_id, office_id, full_name, name_verified, kind, category, active, version)"
    " SELECT id, $2, 'Клиент', true, 'online', 'internet', true, 1 FROM unnest($1::uuid[]) AS id"
)
_BASKETS = (
    "INSERT INTO basket_item (id, office_id, client_id, article, brand, description, kind, quantity, sale_price,"
    " no_catalogue, added_by, added_at)"
    " SELECT gen_random_uuid(), $2, id, 'GDB' || line, 'TRW', 'Колодки', 'consumable', 1, 1000, false, id, now()"
    " FROM unnest($1::uuid[]) AS id, generate_series(1, $3) AS line"
)


@asynccontextmanager
async def orders_database(infrastructure: Infrastructure, purpose: str) -> AsyncIterator[ScratchUrls]:
    async with scratch_database(infrastructure.database_url, "orders", purpose) as urls:
        await migrate.upgrade("services.orders", urls.owner)
        yield urls


async def full_baskets(urls: ScratchUrls, office_id: UUID, count: int) -> list[UUID]:
    """So many clients who have filled their baskets."""
    clients = [new_id() for _ in range(count)]
    admin = await asyncpg.connect(urls.admin)
    await admin.execute(_CLIENTS, clients, office_id)
    await admin.execute(_BASKETS, clients, office_id, POSITIONS)
    await admin.execute("ANALYZE")
    await admin.close()
    return clients


_SUPPLIER = (
    "INSERT INTO supplier (id, office_id, name, email, active, created_at, version)"
    " VALUES ($1, $2, 'Поставщик', 'zakaz@supplier.example', true, now(), 1)"
)
_PAID_ORDERS = (
    "INSERT INTO customer_order (id, office_id, client_id, number, state, client_category, client_kind, wholesale,"
    " channel, total, check_requested, disclosures, delivery, placed_by, placed_at, paid_at, version)"
    " SELECT id, $2, $3, 'З-' || id, 'moderation', 'internet', 'online', false, 'office', 5000, false, '[]', 'office',"
    " $3, now(), now(), 1 FROM unnest($1::uuid[]) AS id"
)
_PAID_POSITIONS = (
    "INSERT INTO position (id, office_id, client_id, order_id, order_number, line, article, brand, description, kind,"
    " quantity, sale_price, purchase_price, supplier_id, term_days, no_catalogue, state, state_changed_at, paid,"
    " finally_refused, version)"
    " SELECT gen_random_uuid(), $2, $3, id, 'З-' || id, line, 'GDB' || line, 'TRW', 'Колодки', 'consumable', 1, 1000,"
    " 700, $4, 3, false, 'moderation', now(), true, false, 1"
    " FROM unnest($1::uuid[]) AS id, generate_series(1, $5) AS line RETURNING id"
)


async def paid_positions(urls: ScratchUrls, office_id: UUID, count: int) -> list[UUID]:
    """Positions that wait for nothing but «Заказ поставщику», five in an order."""
    client_id, supplier_id = new_id(), new_id()
    orders = [new_id() for _ in range(-(-count // POSITIONS))]
    admin = await asyncpg.connect(urls.admin)
    await admin.execute(_CLIENTS, [client_id], office_id)
    await admin.execute(_SUPPLIER, supplier_id, office_id)
    await admin.execute(_PAID_ORDERS, orders, office_id, client_id)
    rows = await admin.fetch(_PAID_POSITIONS, orders, office_id, client_id, supplier_id, POSITIONS)
    await admin.execute("ANALYZE")
    await admin.close()
    return [row["id"] for row in rows[:count]]
