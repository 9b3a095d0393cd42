"""An unknown outcome ends by a person or by the policy; receipts come before and after, twice and out of order."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import insert, update

from services.notifier.delivery.commands import receipts as receipt_commands
from services.notifier.delivery.loops import receipts, sender
from services.notifier.delivery.mail import Outcome
from services.notifier.delivery.models.notices import Notice, NoticeAttempt
from services.notifier.delivery.sms.port import SmsStatus
from services.notifier.settings import NotifierSettings
from shared.base.clock import now
from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.integration.notifier.conftest import World
from tests.integration.notifier.test_delivery import ended, notice, queue_mail
from tests.integration.notifier.test_limits import policy_with, queue_sms


async def unknown(world: World, tries: int = 1) -> UUID:
    notice_id = await queue_mail(world, world.mail_of("client"), at=now() + timedelta(hours=1))
    async with world.notifier.session() as session:
        values = {"state": "unknown", "attempts": tries}
        await session.execute(update(Notice).where(Notice.id == notice_id).values(**values))
        for number in range(1, tries + 1):
            attempt = {"notice_id": notice_id, "number": number, "office_id": world.office_id, "at": now()}
            await session.execute(insert(NoticeAttempt).values(**attempt, outcome="unknown", answer="?"))
    return notice_id


async def test_a_person_says_what_became_of_it(world: World) -> None:
    await world.open_office()
    for delivered, state in ((True, "delivered"), (False, "failed")):
        notice_id = await unknown(world)
        async with world.notifier.http(Role.SENIOR_MANAGER, office_id=world.office_id) as http:
            done = await http.post(f"/notices/{notice_id}/resolution", json={"delivered": delivered})
            assert (done.status_code, done.json()["state"]) == (200, state)
            again = await http.post(f"/notices/{notice_id}/resolution", json={"delivered": delivered})
            assert again.status_code == 409
    async with world.notifier.http(Role.SENIOR_MANAGER, office_id=new_id()) as stranger:
        assert (await stranger.post(f"/notices/{notice_id}/resolution", json={"delivered": True})).status_code == 404


async def test_a_letter_goes_out_once_more_only_where_the_policy_says_so(world: World) -> None:
    await world.open_office()
    once, twice = await unknown(world), await unknown(world, tries=2)
    await receipts.resend_unknown_mail(world.notifier.app.state.database)
    assert (await notice(world, once)).state == "unknown"
    async with policy_with(world, resend_unknown_mail=True):
        assert (await ended(world, once, "sent")).attempts == 2
        await receipts.resend_unknown_mail(world.notifier.app.state.database)
    assert (await notice(world, twice)).state == "unknown"
    (mail,) = world.mailbox.store.newest(to=world.mail_of("client"))
    assert mail.message_id == f"<{once}@reglament.localhost>"


async def claimed_sms(world: World, channel: str) -> tuple[UUID, sender.Claimed]:
    """Claimed by hand: no loop of the service looks at such a channel."""
    notice_id = await queue_sms(world, channel=channel)
    claimed = await sender.claim(world.notifier.app.state.database, channel, NotifierSettings())
    assert claimed is not None
    return notice_id, claimed


async def test_a_receipt_that_comes_before_the_answer_to_the_sending_is_not_lost(world: World) -> None:
    await world.open_office()
    await world.register(phone="+79220006001")
    notice_id, claimed = await claimed_sms(world, "sms of smpp")
    database, provider_id = world.notifier.app.state.database, str(new_id())
    async with world.notifier.session() as session:
        await receipt_commands.record_receipt(session, "smpp", provider_id, SmsStatus.DELIVERED)
    outcome = Outcome("sent", "ok", gateway="smpp", provider_id=provider_id)
    await sender.record(database, claimed, outcome, NotifierSettings())
    early = await notice(world, notice_id)
    assert early.state == "delivered" and early.delivered_at is not None and early.poll_at is None
    for status in (SmsStatus.SENT, SmsStatus.EXPIRED, SmsStatus.DELIVERED, SmsStatus.FAILED):
        async with world.notifier.session() as session:
            await receipt_commands.record_receipt(session, "smpp", provider_id, status)
    assert (await notice(world, notice_id)).state == "delivered"


async def test_an_sms_of_unknown_outcome_is_never_sent_again_by_itself(world: World) -> None:
    await world.open_office()
    await world.register(phone="+79220006002")
    notice_id, claimed = await claimed_sms(world, "sms by hand")
    database = world.notifier.app.state.database
    await sender.record(database, claimed, Outcome("unknown", "?", gateway="smsru"), NotifierSettings())
    async with policy_with(world, resend_unknown_mail=True):
        await receipts.resend_unknown_mail(database)
    lost = await notice(world, notice_id)
    assert (lost.state, lost.attempts, lost.poll_at) == ("unknown", 1, None)


async def test_a_silent_gateway_does_not_keep_others_from_being_asked(world: World) -> None:
    await world.open_office()
    await world.register(phone="+79220006003")
    waiting = [await queue_sms(world, channel="sms by hand") for _ in range(51)]
    awaited = update(Notice).where(Notice.id.in_(waiting))
    async with world.notifier.session() as session:
        long_ago = now() - timedelta(hours=1)
        await session.execute(awaited.values(state="sent", gateway="smsru", sent_at=long_ago, poll_at=long_ago))
    try:
        assert (await ended(world, await queue_sms(world), "delivered")).gateway == "smsc"
    finally:
        async with world.notifier.session() as session:
            await session.execute(awaited.values(state="failed", poll_at=None))
