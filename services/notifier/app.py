"""Composition root of `notifier`."""

from services.notifier.api import routers
from services.notifier.clock.commands import escalation_letters
from services.notifier.clock.commands.rules import publish_defaults
from services.notifier.clock.loops import calendar_obligations, engine, housekeeping, pauses
from services.notifier.clock.store.unit_of_work import WORKER_SETTINGS
from services.notifier.consumers import consumers
from services.notifier.delivery.commands.late_text import write_late_texts_by
from services.notifier.delivery.loops import receipts, sender
from services.notifier.inbound import loops as mailboxes
from services.notifier.people.models import Base
from services.notifier.settings import NotifierSettings
from shared.contracts.notifier import (
    CalendarDutyChanged,
    ConsentWithdrawn,
    MailAnswered,
    MailReceived,
    ObligationBreached,
    ObligationClosed,
    ObligationLimitReached,
    ObligationOpened,
    ObligationWarned,
    PhoneCallEnded,
)
from shared.runtime.service import Loop, Service

write_late_texts_by(escalation_letters.fill_in)

service = Service(
    name="notifier",
    title="Часы и уведомления",
    routers=routers,
    consumers=consumers,
    publishes=[
        ObligationOpened,
        ObligationWarned,
        ObligationBreached,
        ObligationLimitReached,
        ObligationClosed,
        CalendarDutyChanged,
        ConsentWithdrawn,
        MailReceived,
        MailAnswered,
        PhoneCallEnded,
    ],
    metadata=Base.metadata,
    settings=NotifierSettings,
    loops=[
        Loop("clock", engine.run),
        Loop("calendar duties", calendar_obligations.run),
        Loop("pauses", pauses.run),
        Loop("mail", sender.run_mail),
        Loop("sms", sender.run_sms),
        Loop("receipts", receipts.run),
        Loop("mailboxes", mailboxes.run),
        Loop("housekeeping", housekeeping.run),
    ],
    on_start=[publish_defaults],
    worker_settings=WORKER_SETTINGS,
)
