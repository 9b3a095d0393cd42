"""Composition root of `notifier`."""

from services.notifier.clock.loops import calendar_obligations, engine, housekeeping, pauses
from services.notifier.inbound import loops
from services.notifier.delivery.loops import receipts, sender
from services.notifier.api import routers
from services.notifier.clock.commands.rules import publish_defaults
from services.notifier.consumers import consumers
from services.notifier.delivery.models import Base
from services.notifier.settings import NotifierSettings
from services.notifier.clock.store.unit_of_work import WORKER_SETTINGS
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
        Loop("mailboxes", loops.run),
        Loop("housekeeping", housekeeping.run),
    ],
    on_start=[publish_defaults],
    worker_settings=WORKER_SETTINGS,
)
