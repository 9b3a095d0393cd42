"""Alembic's entry point; the packages' models declare all tables on one `Base`."""

from services.notifier.clock import models as clock
from services.notifier.delivery import models as delivery
from services.notifier.inbound import models as inbound
from services.notifier.people.models import Base
from services.notifier.telephony import models as telephony
from services.notifier.texts import models as texts
from shared.persistence.migrations import run

TABLES = (clock, delivery, inbound, telephony, texts)

run(Base.metadata)
