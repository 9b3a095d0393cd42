"""When a notice may go out, by the recipient's clock; and what is forgotten when."""

from datetime import timedelta

from sqlalchemy import func, select

from services.notifier.clock.loops.housekeeping import KEEP_TOMBSTONES, delete_old_tombstones
from services.notifier.clock.models.obligations import Tombstone
from shared.base.clock import now
from shared.persistence.database import new_id
from tests.support.harness import ServiceHarness


async def test_tombstones_are_deleted_when_no_opening_event_can_come_any_more(notifier: ServiceHarness) -> None:
    old, young = new_id(), new_id()
    async with notifier.session() as session:
        for value, kept_since in ((old, now() - KEEP_TOMBSTONES - timedelta(hours=1)), (young, now())):
            row = {
                "obligation_kind": "contacts",
                "field": "client_id",
                "value": value,
                "outcome": "done",
                "once": False,
            }
            session.add(Tombstone(**row, happened_at=kept_since, kept_since=kept_since))
        await session.flush()
        await delete_old_tombstones(session)
        left = select(func.count()).select_from(Tombstone).where(Tombstone.value.in_([old, young]))
        assert (await session.execute(left)).scalar_one() == 1
