"""Prometheus metrics of letters and SMS."""

from prometheus_client import Counter

SMS_LIMIT_REACHED = Counter(
    "reglament_sms_limit_reached_total", "Days on which an office had used up its SMS", ["office"]
)
SMS_ATTEMPTS = Counter("reglament_sms_attempts_total", "Tries to hand over an SMS", ["gateway", "outcome"])
