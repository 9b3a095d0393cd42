"""A notifier's database with an office, the default rules, and as many open obligations as asked for."""

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from devtools.testing.databases import ScratchUrls, scratch_database
from devtools.testing.infrastructure import Infrastructure
from services.notifier.clock.commands.rules import publish_defaults
from services.notifier.clock.store.unit_of_work import WORKER_SETTINGS
from services.notifier.settings import NotifierSettings
from shared.persistence import migrate
from shared.persistence.database import Database, new_id
from shared.persistence.listener import Listener
from shared.runtime.service import ServiceContext
from shared.vocabulary.worktime import ROUND_THE_CLOCK, WorkingCalendar

_LADDER = ("warning", "breach", "escalation", "escalation", "escalation")


@dataclass(frozen=True)
class SeedData:
    context: ServiceContext
    urls: ScratchUrls
    admin: asyncpg.Connection
    office_id: UUID
    digest: str

    @property
    def database(self) -> Database:
        return self.context.database

    async def fill(self, number: int) -> None:
        """Open obligations whose next step is far away, written by the server itself."""
        await self.insert(number, "now() + interval '30 days'")
        await self.admin.execute("VACUUM ANALYZE obligations")

    async def insert(self, number: int, due: str, *, steps: int = 5, start: datetime | None = None) -> None:
        """`due` is SQL over `number`, from 1, and the parameter $4; every one is another client's and subject's."""
        kinds = _LADDER if steps == 5 else ("breach",)
        parts = [
            f"json_build_object('level', {level}, 'kind', '{kind}', 'at', due + interval '{level - 1} hours',"
            " 'role', NULL, 'action', NULL)"
            for level, kind in enumerate(kinds, start=1)
        ]
        await self.admin.execute(
            f"""
            INSERT INTO obligations (id, office_id, version, generation, duty, rule_id, rule_code, rule_version, clause,
                title, penalty_points, subject_kind, subject_id, client_id, calendar_digest, opened_at, soon_at, due_at,
                state, schedule, next_step, next_at)
            SELECT gen_random_uuid(), $1, 1, 1, rules.body->>'duty', rules.id, rules.code, rules.version,
                rules.body->>'clause', rules.body->>'title', 1, rules.body->>'subject', gen_random_uuid(),
                gen_random_uuid(), $2, now(), due, due, 'open', json_build_array({", ".join(parts)}), 0, due
            FROM rules, (SELECT {due} AS due FROM generate_series(1, $3) AS number
                         WHERE $4::timestamptz IS NULL OR true) AS numbers
            WHERE rules.code = 'BILL-06'
            """,
            self.office_id,
            self.digest,
            number,
            start,
            timeout=3600,
        )

    async def wake(self) -> None:
        await self.admin.execute("SELECT pg_notify('notifier_clock', '')")

    async def delete_fired_steps(self) -> None:
        """Back to the filled table, so that one measurement does not burden the next."""
        await self.admin.execute("TRUNCATE obligation_levels, obligation_history, outbox, notices CASCADE")
        await self.admin.execute(
            "DELETE FROM obligations WHERE next_at < now() + interval '20 days' OR next_at IS NULL"
        )


@asynccontextmanager
async def seed_data(infrastructure: Infrastructure) -> AsyncIterator[SeedData]:
    async with scratch_database(infrastructure.database_url, "notifier", "clock") as urls:
        await migrate.upgrade("services.notifier", urls.owner)
        database = Database(urls.app, urls.worker, name="benchmark", worker_settings=WORKER_SETTINGS)
        admin = await asyncpg.connect(urls.admin)
        try:
            context = ServiceContext(NotifierSettings(demo=True), database, Listener(urls.worker))
            await publish_defaults(context)
            office_id, digest = await _office(admin)
            yield SeedData(context, urls, admin, office_id, digest)
        finally:
            await admin.close()
            await database.dispose()


async def _office(admin: asyncpg.Connection) -> tuple[UUID, str]:
    calendar = WorkingCalendar.model_validate({"time_zone": "Asia/Yekaterinburg", "weekly": ROUND_THE_CLOCK})
    body: dict[str, Any] = calendar.model_dump(mode="json")
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    office_id = new_id()
    await admin.execute("INSERT INTO calendars (digest, body) VALUES ($1, $2)", digest, json.dumps(body))
    await admin.execute(
        "INSERT INTO offices (office_id, version, name, city, address, time_zone, phones, email, calendar,"
        " calendar_digest, active) VALUES ($1, 1, 'Офис', 'Город', 'Адрес', 'Asia/Yekaterinburg', '[]', 'o@example.ru',"
        " $2, $3, true)",
        office_id,
        json.dumps(body),
        digest,
    )
    return office_id, digest
