"""Every metric: name, kind, labels, meaning, in one table.

``docs/operations.md`` carries the same table, and a test keeps the two alike. No label holds a value that a
stranger can choose: only ids of the configuration, topics of ours, codes and numbers.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as PrometheusFamily
from prometheus_client.registry import Collector

__all__ = ["CONTENT_TYPE", "METRICS", "Answered", "IngressCollector", "Metric", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Of ``Metrics.text``. Source: Prometheus exposition formats."""

_BATCH_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds; the last is the statement time-out, beyond which no batch lasts."""


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
        "isthmus_ingress_seconds", "histogram", ("source",), "From request to answer, Kafka's acknowledgement included."
    ),
    Metric(
        "isthmus_ingress_noted_total",
        "counter",
        ("source", "what"),
        "Marks of our own calls by verdict, forged survey links, posts to disabled workflows.",
    ),
    Metric("isthmus_ingress_bytes_in_flight", "gauge", (), "Bytes that wait for Kafka's acknowledgement."),
    Metric("isthmus_alarms_total", "counter", ("kind",), "Alarms raised."),
    Metric("isthmus_service_paused", "gauge", ("service",), "1 while the service is paused, else 0."),
    Metric("isthmus_revision", "gauge", (), "The configuration revision in force in this process."),
    Metric("isthmus_contacts_ambiguous_total", "counter", (), "Commands that matched several contacts."),
    Metric("isthmus_embedded_dropped_total", "counter", ("reason",), "Embedded fields dropped, by reason."),
)


_COLLECTED = {
    metric.name: metric
    for metric in METRICS
    if metric.name in ("isthmus_ingress_requests_total", "isthmus_ingress_seconds", "isthmus_ingress_noted_total")
}


class Answered(NamedTuple):
    """What ingress answered to one source since the start."""

    source: str
    by_status: Mapping[int, int]
    buckets: Sequence[tuple[float, int]]
    """Upper bound in seconds, answers up to it; rising."""
    seconds: float


class IngressCollector(Collector):
    """Reads what ingress counts when somebody asks: counting it again for each request would cost 3 % of each."""

    def __init__(self) -> None:
        self.answered: Callable[[], Iterable[Answered]] = tuple
        self.noted: Callable[[], Iterable[tuple[str, str, int]]] = tuple
        """(source, what, how often)."""

    def collect(self) -> Iterator[PrometheusFamily]:
        requests, times, notes = _COLLECTED.values()
        counter = CounterMetricFamily(requests.name, requests.meaning, labels=requests.labels)
        histogram = HistogramMetricFamily(times.name, times.meaning, labels=times.labels)
        for source, by_status, buckets, seconds in self.answered():
            for status, count in by_status.items():
                counter.add_metric((source, str(status)), count)
            bounds = [(repr(bound), count) for bound, count in buckets]
            histogram.add_metric((source,), [*bounds, ("+Inf", sum(by_status.values()))], seconds)
        noted = CounterMetricFamily(notes.name, notes.meaning, labels=notes.labels)
        for source, what, number in self.noted():
            noted.add_metric((source, what), number)
        yield counter
        yield histogram
        yield noted


class Metrics:
    """The metrics of one process, on a registry of their own: two of them never mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._made: dict[str, Counter | Gauge | Histogram] = {
            metric.name: self._make(metric) for metric in METRICS if metric.name not in _COLLECTED
        }
        self.records = self._counter("isthmus_records_total")
        self.batches = self._counter("isthmus_batches_total")
        self.batch_seconds = self._histogram("isthmus_batch_seconds")
        self.lag = self._gauge("isthmus_lag_records")
        self.oldest_pending = self._gauge("isthmus_oldest_pending_seconds")
        self.unaccounted = self._gauge("isthmus_unaccounted_events")
        self.mapping_effects = self._counter("isthmus_mapping_effects_total")
        self.rejections = self._counter("isthmus_rejections_total")
        self.dead_letters = self._counter("isthmus_dead_letters_total")
        self.ingress = IngressCollector()
        self.registry.register(self.ingress)
        self.ingress_bytes_in_flight = self._gauge("isthmus_ingress_bytes_in_flight")
        self.alarms = self._counter("isthmus_alarms_total")
        self.paused = self._gauge("isthmus_service_paused")
        self.revision = self._gauge("isthmus_revision")
        self.contacts_ambiguous = self._counter("isthmus_contacts_ambiguous_total")
        self.embedded_dropped = self._counter("isthmus_embedded_dropped_total")

    def written(self, ambiguous: int, dropped: int) -> None:
        """A write from outside the log: commands that matched several contacts, embedded fields left out."""
        self.contacts_ambiguous.inc(ambiguous)
        self.embedded_dropped.labels("too_long").inc(dropped)

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
