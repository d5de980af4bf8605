"""What ingress says about itself."""

from structlog.testing import capture_logs

from ingress.report import Report
from processor.logs import get_log


def test_snapshot() -> None:
    """Requests by status class and latencies by source; a snapshot starts anew."""
    report = Report(lambda: 0)
    for step in range(100):
        report.observe("web", 200, (step + 1) / 1000)
    report.observe("web", 503, 100.0)
    figures = report.snapshot()["web"]
    assert figures.by_status == {200: 100, 503: 1}
    assert 50 <= figures.percentile_ms(0.5) <= 62
    assert 99 <= figures.percentile_ms(0.99) <= 120
    assert report.snapshot() == {}
    report.observe("web", 200, 0.001)
    assert report.snapshot()["web"].by_status == {200: 1}


def test_log() -> None:
    """One line a source, and one when there was nothing."""
    in_flight = [0]
    report = Report(lambda: in_flight[0])
    with capture_logs() as lines:
        report.log(get_log())
        report.observe("web", 200, 0.001)
        in_flight[0] = 7
        report.log(get_log())
    assert [line["event"] for line in lines] == ["ingress_reported"] * 2
    assert lines[0]["requests"] == {}
    assert lines[1] | {"source": "web", "requests": {"200": 1}, "bytes_in_flight": 7} == lines[1]
