"""HTTP interface of `notifier`."""

from services.notifier.clock.api.drafts import router as drafts
from services.notifier.clock.api.handling import router as handling
from services.notifier.clock.api.obligations import router as obligations
from services.notifier.clock.api.rules import router as rules
from services.notifier.delivery.api.cabinet import router as cabinet
from services.notifier.delivery.api.notices import router as notices
from services.notifier.delivery.api.optout import router as optout
from services.notifier.delivery.api.policy import router as policy
from services.notifier.inbound.api import router as mails
from services.notifier.people.api import router as people
from services.notifier.telephony.api import router as calls
from services.notifier.texts.api import router as templates

routers = [obligations, handling, rules, drafts, people, policy, notices, cabinet, templates, optout, mails, calls]
