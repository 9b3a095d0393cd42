"""Prometheus metrics of the kernel, labelled by service so that one process may hold several."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Histogram("reglament_http_seconds", "Duration of HTTP requests", ["service", "method", "route", "status"])
CONSUMED = Counter("reglament_consumed_total", "Events consumed", ["service", "type", "outcome"])
PARKED = Counter("reglament_parked_total", "Messages parked", ["service", "cause"])
PUBLISHED = Counter("reglament_published_total", "Events confirmed by the broker", ["service"])
PUBLISH_LAG = Histogram("reglament_publish_lag_seconds", "From commit to the broker's confirm", ["service"])
REPAIRED = Counter("reglament_topology_repaired_total", "Queues that had to be declared again", ["service", "queue"])
CONSUMERS_HEALTHY = Gauge("reglament_consumers_healthy", "1 while every queue has its consumer", ["service"])
BACKLOG = Gauge("reglament_outbox_backlog", "Events not yet confirmed", ["service"])
BACKLOG_AGE = Gauge("reglament_outbox_oldest_seconds", "Age of the oldest unconfirmed event", ["service"])
FAILED = Gauge("reglament_failed_messages", "Messages waiting for a retry or for a person", ["service", "state"])
