"""What a service says about itself: lines that alone rebuild the ledger, and the same figures as metrics."""

import time
from typing import Any

from structlog.testing import capture_logs
from support.engine_rig import TOPIC, Rig

from processor.engine.report import Reporter
from processor.errors import UnavailableError
from processor.logs import get_log
from processor.metrics import Metrics
from processor.ports.log import Partition


class Reporting(Rig):
    """A rig whose observer is a Reporter."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.metrics = Metrics()
        self.reporter = Reporter("directory", self.log, self.source, self.metrics, get_log())

    def applied(self, decided: Any, tally: Any, seconds: float) -> None:
        super().applied(decided, tally, seconds)
        self.reporter.applied(decided, tally, seconds)

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


async def none_missing() -> int:
    return 0


async def three_missing() -> int:
    return 3


async def away() -> int:
    raise UnavailableError("PostgreSQL: away")


def lines_of(lines: list[Any], event: str) -> list[Any]:
    return [line for line in lines if line["event"] == event]


async def test_a_line_for_each_batch() -> None:
    """What was received, and what became of it by partition and source; the spans say which offsets it was."""
    rig = Reporting(partitions=2)
    rig.put("a", "skip", "bad-1", "bug", partition=0)
    rig.put("b", partition=1)
    with capture_logs() as lines:
        await rig.run_for()
    await rig.stop()
    (line,) = lines_of(lines, "batch_applied")
    assert (line["topic"], line["received"], line["applied"], line["dead"]) == (TOPIC, 5, 2, 2)
    assert (line["filtered"], line["repeated"]) == ({"no_match": 1}, 0)
    assert line["spans"] == {0: [0, 4], 1: [0, 1]}
    assert line["by_source"] == {
        "0/web": {"applied": 1, "no_match": 1, "dead": 1},
        "0/kafka": {"dead": 1},
        "1/web": {"applied": 1},
    }
    assert "bad-1" not in str(line), "no payload"


async def test_the_same_figures_as_metrics() -> None:
    """Records by class, effects by mapping, rejections by code."""
    rig = Reporting()
    rig.put("a", "b", "skip", "bad-1", "bug")
    await rig.run_for()
    await rig.stop()
    found = {kind: rig.value("isthmus_records_total", service="directory", **{"class": kind}) for kind in KINDS}
    assert found == {"applied": 2, "dead": 2, "filtered": 1}
    assert rig.value("isthmus_batches_total", service="directory") == 1
    changed = {"service": "directory", "mapping": "crm/contact", "result": "changed"}
    assert rig.value("isthmus_mapping_effects_total", **changed) == 2
    for code in ("missing_required", "internal_error"):
        assert rig.value("isthmus_dead_letters_total", service="directory", code=code) == 1


KINDS = ("applied", "dead", "filtered")


async def test_a_report_every_ten_seconds() -> None:
    """Lag by partition, what is unaccounted, and each mapping that did something since the last report."""
    rig = Reporting(partitions=2)
    rig.put("a", "b", "bad-1", partition=1)
    await rig.run_for()
    with capture_logs() as lines:
        await rig.reporter.report(three_missing)
        await rig.reporter.report(none_missing)
    await rig.stop()
    first, second = lines_of(lines, "service_reported")
    assert (first["lag"], first["oldest_pending_s"], first["unaccounted"]) == ({TOPIC: {0: 0, 1: 0}}, 0.0, 3)
    assert second["unaccounted"] == 0
    (line,) = [line for line in lines_of(lines, "mapping_reported") if line["mapping"]]
    assert (line["mapping"], line["applied"], line["rejected"]) == ("crm/contact", 2, {"missing_required": 1})
    assert rig.value("isthmus_unaccounted_events", service="directory") == 0
    assert rig.value("isthmus_lag_records", service="directory", topic=TOPIC, partition="1") == 0


async def test_lag_and_the_age_of_the_oldest_pending() -> None:
    """Records that are there and not applied count; the oldest is at most as old as the last that was applied."""
    rig = Reporting()
    rig.broker.append(TOPIC, b"a", timestamp=int((time.time() - 100) * 1000))
    await rig.run_for()
    await rig.stop()
    rig.put("b", "c")
    with capture_logs() as lines:
        await rig.reporter.report(none_missing)
    (line,) = lines_of(lines, "service_reported")
    assert line["lag"] == {TOPIC: {0: 2}}
    assert rig.reporter.unread == 2
    assert 99 < line["oldest_pending_s"] < 160


async def test_the_end_of_a_transaction_is_no_lag() -> None:
    """It takes an offset on the topic and is never handed out: reading stands behind it, and nothing is pending."""
    rig = Reporting()
    rig.put("a")
    await rig.run_for()
    await rig.stop()
    rig.put("stands for a marker")
    rig.log.seek(Partition(TOPIC, 0), 2)
    with capture_logs() as lines:
        await rig.reporter.report(none_missing)
    (line,) = lines_of(lines, "service_reported")
    assert (line["lag"], line["oldest_pending_s"]) == ({TOPIC: {0: 0}}, 0.0)


async def test_a_report_while_the_store_or_the_broker_is_away() -> None:
    """The line is written all the same; what cannot be known is null, never 0."""
    rig = Reporting()
    rig.put("a")
    await rig.run_for()
    with capture_logs() as lines:
        await rig.reporter.report(away)
        rig.broker.away = True
        await rig.reporter.report(none_missing)
    rig.broker.away = False
    await rig.stop()
    assert [line["unaccounted"] for line in lines_of(lines, "service_reported")] == [None, None]


async def test_nothing_is_assigned() -> None:
    """A service without partitions reports no lag, and asks the broker for none."""
    rig = Reporting()
    rig.broker.away = True
    with capture_logs() as lines:
        await rig.reporter.report(none_missing)
    (line,) = lines_of(lines, "service_reported")
    assert (line["lag"], line["oldest_pending_s"], line["unaccounted"]) == ({}, 0.0, 0)
