"""HTTP interface of `notifier`."""

from services.notifier.api.cabinet import router as cabinet
from services.notifier.api.notices import router as notices
from services.notifier.api.obligations import router as obligations
from services.notifier.api.optout import router as optout
from services.notifier.api.policy import router as policy
from services.notifier.api.rules import router as rules
from services.notifier.api.templates import router as templates

routers = [obligations, rules, policy, notices, cabinet, templates, optout]
