"""Every metric: name, kind, labels, meaning, in one table.

``docs/operations.md`` carries the same table, and a test keeps the two alike. No label holds a value that a
stranger can choose: only ids of the configuration, topics of ours, codes and numbers.
"""

from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

__all__ = ["CONTENT_TYPE", "METRICS", "Metric", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Of ``Metrics.text``. Source: Prometheus exposition formats."""

_BATCH_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds; the last is the statement time-out, beyond which no batch lasts."""
_INGRESS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0, 5.0)
"""Seconds; 3 is the produce time-out, 5 the patience of the webhook's sender."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric as a dashboard sees it."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    meaning: str
    buckets: tuple[float, ...] = ()
    """Upper bounds in seconds, of histograms only."""


METRICS: tuple[Metric, ...] = (
    Metric("isthmus_records_total", "counter", ("service", "class"), "Records by class: applied, filtered, dead."),
    Metric("isthmus_batches_total", "counter", ("service",), "Batches committed to PostgreSQL."),
    Metric("isthmus_batch_seconds", "histogram", ("service",), "From poll to commit of one batch.", _BATCH_BUCKETS),
    Metric("isthmus_lag_records", "gauge", ("service", "topic", "partition"), "Records on the topic, not yet applied."),
    Metric("isthmus_oldest_pending_seconds", "gauge", ("service",), "Age of the oldest record not yet applied."),
    Metric("isthmus_unaccounted_events", "gauge", ("service",), "Records passed and in no class; must be 0."),
    Metric(
        "isthmus_mapping_effects_total",
        "counter",
        ("service", "mapping", "result"),
        "Effects: changed, repeated, superseded, suppressed.",
    ),
    Metric(
        "isthmus_rejections_total", "counter", ("service", "mapping", "code"), "Rejections by mapping and error code."
    ),
    Metric("isthmus_dead_letters_total", "counter", ("service", "code"), "Dead letters written."),
    Metric("isthmus_ingress_requests_total", "counter", ("source", "status"), "Requests answered, by HTTP status."),
    Metric(
        "isthmus_ingress_seconds",
        "histogram",
        ("source",),
        "From request to answer, Kafka's acknowledgement included.",
        _INGRESS_BUCKETS,
    ),
    Metric("isthmus_ingress_bytes_in_flight", "gauge", (), "Bytes that wait for Kafka's acknowledgement."),
    Metric("isthmus_alarms_total", "counter", ("kind",), "Alarms raised."),
    Metric("isthmus_service_paused", "gauge", ("service",), "1 while the service is paused, else 0."),
    Metric("isthmus_revision", "gauge", (), "The configuration revision in force in this process."),
    Metric("isthmus_contacts_ambiguous_total", "counter", (), "Commands that matched several contacts."),
    Metric("isthmus_embedded_dropped_total", "counter", ("reason",), "Embedded fields dropped, by reason."),
)


class Metrics:
    """The metrics of one process, on a registry of their own: two of them never mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._made: dict[str, Counter | Gauge | Histogram] = {m.name: self._make(m) for m in METRICS}
        self.records = self._counter("isthmus_records_total")
        self.batches = self._counter("isthmus_batches_total")
        self.batch_seconds = self._histogram("isthmus_batch_seconds")
        self.lag = self._gauge("isthmus_lag_records")
        self.oldest_pending = self._gauge("isthmus_oldest_pending_seconds")
        self.unaccounted = self._gauge("isthmus_unaccounted_events")
        self.mapping_effects = self._counter("isthmus_mapping_effects_total")
        self.rejections = self._counter("isthmus_rejections_total")
        self.dead_letters = self._counter("isthmus_dead_letters_total")
        self.ingress_requests = self._counter("isthmus_ingress_requests_total")
        self.ingress_seconds = self._histogram("isthmus_ingress_seconds")
        self.ingress_bytes_in_flight = self._gauge("isthmus_ingress_bytes_in_flight")
        self.alarms = self._counter("isthmus_alarms_total")
        self.paused = self._gauge("isthmus_service_paused")
        self.revision = self._gauge("isthmus_revision")
        self.contacts_ambiguous = self._counter("isthmus_contacts_ambiguous_total")
        self.embedded_dropped = self._counter("isthmus_embedded_dropped_total")

    def text(self) -> bytes:
        """Everything, in Prometheus' text format (``CONTENT_TYPE``)."""
        return generate_latest(self.registry)

    def _make(self, metric: Metric) -> Counter | Gauge | Histogram:
        match metric.kind:
            case "counter":
                return Counter(metric.name, metric.meaning, metric.labels, registry=self.registry)
            case "gauge":
                return Gauge(metric.name, metric.meaning, metric.labels, registry=self.registry)
            case "histogram":
                return Histogram(
                    metric.name, metric.meaning, metric.labels, registry=self.registry, buckets=metric.buckets
                )

    def _counter(self, name: str) -> Counter:
        made = self._made[name]
        if not isinstance(made, Counter):
            raise TypeError(f"{name} is not a counter")
        return made

    def _gauge(self, name: str) -> Gauge:
        made = self._made[name]
        if not isinstance(made, Gauge):
            raise TypeError(f"{name} is not a gauge")
        return made

    def _histogram(self, name: str) -> Histogram:
        made = self._made[name]
        if not isinstance(made, Histogram):
            raise TypeError(f"{name} is not a histogram")
        return made
