"""Tables of delivery: notices, SMS, policy, webhooks."""

from services.notifier.delivery.models import notices, policy, sms, webhooks

__all__ = ["notices", "policy", "sms", "webhooks"]
