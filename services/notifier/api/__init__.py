"""HTTP interface of `notifier`."""

from services.notifier.api.cabinet import router as cabinet
from services.notifier.api.calls import router as calls
from services.notifier.api.drafts import router as drafts
from services.notifier.api.handling import router as handling
from services.notifier.api.mails import router as mails
from services.notifier.api.notices import router as notices
from services.notifier.api.obligations import router as obligations
from services.notifier.api.optout import router as optout
from services.notifier.api.policy import router as policy
from services.notifier.api.rules import router as rules
from services.notifier.api.telling import router as telling
from services.notifier.api.templates import router as templates

routers = [obligations, handling, rules, drafts, telling, policy, notices, cabinet, templates, optout, mails, calls]
