"""Metrics: one table, one registry a process, and an attribute for each."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ingress.notes import Notes
from ingress.report import Report
from processor.domain.rules import Rules
from processor.metrics import METRICS, Metrics
from processor.ports.revisions import Compiled


class Revision:
    current = Compiled(1, Rules(1, {}, {}, ()), (), (), {})


def test_everything_in_the_table_is_exposed() -> None:
    """Under its name and kind, before anything has happened."""
    families = {f.name: f.type for f in text_string_to_metric_families(Metrics().text().decode())}
    for metric in METRICS:
        assert families[metric.name.removesuffix("_total")] == metric.kind


def test_every_metric_has_an_attribute() -> None:
    """Nothing is made that nobody can count with; three of them are read from ingress."""
    metrics = Metrics()
    held = [value for name, value in vars(metrics).items() if name not in ("registry", "_made", "ingress")]
    assert len(held) + 3 == len(METRICS)


def test_ingress_is_read_when_asked() -> None:
    """Its own counts become two counters and a histogram, by source."""
    metrics = Metrics()
    notes = Notes(Revision())
    report = Report(lambda: 0, notes)
    metrics.ingress.answered, metrics.ingress.noted = report.answered, report.noted
    notes.note("web", "link_forged")
    for seconds in (0.0001, 0.004, 0.004, 90.0):
        report.observe("web", 200, seconds)
    report.observe("web", 503, 0.2)
    report.observe("", 401, 0.2)
    read = metrics.registry.get_sample_value
    assert read("isthmus_ingress_requests_total", {"source": "web", "status": "200"}) == 4
    assert read("isthmus_ingress_requests_total", {"source": "", "status": "401"}) == 1
    assert read("isthmus_ingress_noted_total", {"source": "web", "what": "link_forged"}) == 1
    assert read("isthmus_ingress_seconds_count", {"source": "web"}) == 5
    assert read("isthmus_ingress_seconds_sum", {"source": "web"}) == pytest.approx(90.2081)
    families = text_string_to_metric_families(metrics.text().decode())
    (times,) = (family for family in families if family.name == "isthmus_ingress_seconds")
    web = [s for s in times.samples if s.name.endswith("_bucket") and s.labels["source"] == "web"]
    below = {float(s.labels["le"]): s.value for s in web}
    assert list(below) == sorted(below)
    assert list(below.values()) == sorted(below.values())
    assert below[0.00025] == 1
    assert below[float("inf")] == 5
    assert max(value for bound, value in below.items() if bound < 0.004) == 1
    assert min(value for bound, value in below.items() if 0.004 <= bound < 0.2) == 3


def test_two_registries_never_mix() -> None:
    """What one counts the other does not see."""
    first, second = Metrics(), Metrics()
    first.records.labels("directory", "applied").inc(3)
    first.batch_seconds.labels("directory").observe(0.2)
    assert b'isthmus_records_total{class="applied",service="directory"} 3.0' in first.text()
    labels = {"class": "applied", "service": "directory"}
    assert second.registry.get_sample_value("isthmus_records_total", labels) is None
    assert first.registry.get_sample_value("isthmus_batch_seconds_count", {"service": "directory"}) == 1
