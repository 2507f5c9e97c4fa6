"""The metrics that every process exposes at /metrics."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("socle_requests", "Requests answered", ["service", "method", "status"])
LATENCY = Histogram(
    "socle_request_seconds",
    "Time to the last byte of the answer",
    ["service"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
IN_FLIGHT = Gauge("socle_requests_in_flight", "Requests being served", ["service"])
REJECTED = Counter("socle_requests_rejected", "Requests refused at the cap", ["service"])

OUTBOX_LAG = Gauge("socle_outbox_lag_seconds", "Age of the oldest unsent event", ["schema"])
RELAYED = Counter("socle_events_relayed", "Events taken to the log", ["schema"])
RELAY_FAILURES = Counter("socle_relay_failures", "Times the relay had to wait", ["schema"])

CONSUMED = Counter("socle_events_consumed", "Events handled", ["consumer"])
DUPLICATES = Counter("socle_events_duplicate", "Events seen before and dropped", ["consumer"])
DEAD_LETTERS = Counter("socle_events_dead_letter", "Events that could not be handled", ["consumer"])
EVENT_LAG = Histogram(
    "socle_event_lag_seconds",
    "Wall time from an event, as its id tells it, to the commit of what came of it",
    ["consumer"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600),
)
