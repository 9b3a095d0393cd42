"""Russian labels of the codes that people see."""

NOTICE_STATES = {
    "queued": "в очереди",
    "sending": "отправляется",
    "sent": "отправлено",
    "delivered": "доставлено",
    "failed": "не доставлено",
    "expired": "срок отправки истёк",
    "unknown": "исход неизвестен",
}


CHANNELS = {"email": "письмо", "sms": "SMS"}
