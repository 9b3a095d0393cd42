"""Orders of a franchise with a given number of positions.

Ten thousand are five offices in half a year, ten million a hundred offices in three years, the largest with a tenth of
everything.  An order has ten positions, a client ten orders.  Positions older than a month are closed, mostly issued.
A quarter of the newer ones is under moderation.
"""

import asyncpg

POSITIONS_PER_ORDER = 10
ORDERS_PER_CLIENT = 10
SUPPLIERS_PER_OFFICE = 10
SUPPLY_DAYS = 90

_OFFICE = "md5('office' || {0})::uuid"
_CLIENT = "md5('client' || {0})::uuid"
_SUPPLIER = "md5('supplier' || {0})::uuid"

_FILL = (
    # The client decides about the office; square numbers make the first offices the largest.
    "CREATE TEMP TABLE someone AS SELECT number, floor({offices} * random() ^ 2)::int AS office"
    " FROM generate_series(0, {clients} - 1) AS number",
    f"INSERT INTO office SELECT {_OFFICE.format('n')}, 'Офис ' || n, 'О' || n, false, true, 1"
    " FROM generate_series(0, {offices} - 1) AS n",
    "INSERT INTO client (client_id, office_id, full_name, name_verified, kind, category, phone, active, version)"
    f" SELECT {_CLIENT.format('number')}, {_OFFICE.format('office')}, 'Клиент ' || number, true, 'online', 'internet',"
    " '+79161234567', true, 1 FROM someone",
    "INSERT INTO balance (client_id, office_id, balance, held, available, version)"
    " SELECT client_id, office_id, 1000, 0, 1000, 1 FROM client",
    "INSERT INTO supplier (id, office_id, name, email, active, created_at, version)"
    f" SELECT {_SUPPLIER.format('n')}, {_OFFICE.format('n / {per_office}')}, 'Поставщик ' || n, 'a@b.example', true,"
    " now(), 1 FROM generate_series(0, {offices} * {per_office} - 1) AS n",
    "INSERT INTO supplier_day (supplier_id, office_id, day, supplied, refused, late_days)"
    " SELECT id, office_id, current_date - day, 24, 1, 3 FROM supplier, generate_series(1, {days}) AS day",
    # Ids grow with time, as those of version 7 do.
    "INSERT INTO customer_order (id, office_id, client_id, number, state, client_category, client_kind, wholesale,"
    " channel, total, check_requested, disclosures, delivery, placed_by, placed_at, version)"
    " SELECT (lpad(to_hex(n), 12, '0') || '70008000000000000000')::uuid,"
    f" {_OFFICE.format('s.office')}, {_CLIENT.format('s.number')}, 'З-' || n, 'issued', 'internet', 'online', false,"
    f" 'office', 1000, n % 5 = 0, '[]', 'office', {_CLIENT.format('s.number')},"
    " now() - interval '{span} days' * (1 - n::float / {orders}), 1"
    " FROM generate_series(0, {orders} - 1) AS n JOIN someone AS s ON s.number = (hashint8(n) & 2147483647)"
    " % {clients}",
    "INSERT INTO position (id, office_id, client_id, order_id, order_number, line, article, brand, description, kind,"
    " quantity, sale_price, purchase_price, supplier_id, term_days, no_catalogue, state, state_changed_at, paid,"
    " finally_refused, version)"
    " SELECT overlay(id::text PLACING lpad(to_hex(line), 3, '0') FROM 16 FOR 3)::uuid, office_id, client_id, id,"
    " number, line, 'GDB' || line, 'TRW', 'Колодки тормозные передние', 'consumable', 1 + line % 3, 1000, 700,"
    f" {_SUPPLIER.format('(office * {per_office} + line % {per_office})')}, 3, false,"
    " CASE WHEN placed_at > now() - interval '30 days'"
    " THEN (ARRAY['moderation', 'ordered', 'ready', 'issued'])[1 + floor(chance * 4)::int]"
    " WHEN chance < 0.9 THEN 'issued' WHEN chance < 0.95 THEN 'removed' WHEN chance < 0.98 THEN 'returned'"
    " ELSE 'refused' END,"
    " least(placed_at + chance * interval '10 days', now()), chance < 0.97, false, 1"
    " FROM (SELECT o.*, s.office, line, random() AS chance FROM customer_order AS o"
    f" JOIN (SELECT {_CLIENT.format('number')} AS client, office FROM someone) AS s ON s.client = o.client_id,"
    " generate_series(1, {lines}) AS line) AS drawn",
)


async def fill(admin_url: str, positions: int) -> None:
    """Fill the tables without foreign key checks and make the indexes afterwards: ten times faster."""
    orders = positions // POSITIONS_PER_ORDER
    numbers = {
        "offices": min(100, max(5, positions // 3_000)),
        "span": min(1095, max(180, positions // 1_000)),
        "clients": orders // ORDERS_PER_CLIENT,
        "per_office": SUPPLIERS_PER_OFFICE,
        "days": SUPPLY_DAYS,
        "orders": orders,
        "lines": POSITIONS_PER_ORDER,
    }
    admin = await asyncpg.connect(admin_url)
    try:
        for setting in ("session_replication_role = replica", "maintenance_work_mem = '512MB'", "work_mem = '128MB'"):
            await admin.execute(f"SET {setting}")
        indexes = await admin.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ('position', 'customer_order')"
            " AND indexname LIKE 'ix\\_%'"
        )
        for index in indexes:
            await admin.execute(f"DROP INDEX {index['indexname']}")
        for statement in _FILL:
            await admin.execute(statement.format(**numbers), timeout=900)
        for index in indexes:
            await admin.execute(index["indexdef"], timeout=900)
        await admin.execute("VACUUM (ANALYZE)", timeout=900)
    finally:
        await admin.close()
