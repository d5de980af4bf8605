"""Metrics: one table, one registry a process, and an attribute for each."""

from prometheus_client.parser import text_string_to_metric_families

from processor.metrics import METRICS, Metrics


def test_everything_in_the_table_is_exposed() -> None:
    """Under its name and kind, before anything has happened."""
    families = {f.name: f.type for f in text_string_to_metric_families(Metrics().text().decode())}
    for metric in METRICS:
        assert families[metric.name.removesuffix("_total")] == metric.kind


def test_every_metric_has_an_attribute() -> None:
    """Nothing is made that nobody can count with."""
    metrics = Metrics()
    held = [value for name, value in vars(metrics).items() if name not in ("registry", "_made")]
    assert len(held) == len(METRICS)


def test_two_registries_never_mix() -> None:
    """What one counts the other does not see."""
    first, second = Metrics(), Metrics()
    first.records.labels("directory", "applied").inc(3)
    first.batch_seconds.labels("directory").observe(0.2)
    assert b'isthmus_records_total{class="applied",service="directory"} 3.0' in first.text()
    labels = {"class": "applied", "service": "directory"}
    assert second.registry.get_sample_value("isthmus_records_total", labels) is None
    assert first.registry.get_sample_value("isthmus_batch_seconds_count", {"service": "directory"}) == 1
