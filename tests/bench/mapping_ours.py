"""Our filter and mapping over Segment's benchmark events, in one process, and what many mappings cost.

``python -m bench.mapping_ours EVENTS RUNS`` prints one line of JSON: events a second of each mode.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from bench.measuring import calm
from bench.segment_events import EVENTS_DIGEST, MAPPING, PAYLOADS_DIGEST, digest, make_event

from processor import compile_filter, compile_mapping
from processor.config import Secrets, check, compile_document
from processor.domain.decisions.directory import decide
from processor.domain.events.record import RawRecord, Record
from processor.domain.rules import Rules

_TOPIC = UUID(int=1)
_MATCHING = 3


def main(count: int, runs: int) -> None:
    thousand = [make_event(number) for number in range(1_000)]
    matches, payload = compile_filter('type = "identify"'), compile_mapping(MAPPING)
    digests = (digest(thousand), digest(map(payload, thousand)))
    if digests != (EVENTS_DIGEST, PAYLOADS_DIGEST):
        raise SystemExit(f"other events or payloads than Segment's: {digests}")
    lines = [orjson.dumps(make_event(number)) for number in range(count)]
    parsed = [orjson.loads(line) for line in lines]
    calm()

    def objects(events: Iterable[Any]) -> int:
        mapped = 0
        for event in events:
            if matches(event) and payload(event)["directoryId"]:
                mapped += 1
        return mapped

    def as_json(events: Iterable[bytes]) -> int:
        mapped = 0
        for line in events:
            event = orjson.loads(line)
            if matches(event) and len(orjson.dumps(payload(event))) > 2:
                mapped += 1
        return mapped

    figures = {"objects": _rate(objects, parsed, runs), "json": _rate(as_json, lines, runs)}
    records = [_purchase(number) for number in range(2_000)]
    for mappings in (10, 1_000):
        rules = _rules(mappings)

        def decided(batch: Iterable[Record], rules: Rules = rules) -> int:
            return sum(len(decide(record, _TOPIC, rules).effects) == _MATCHING for record in batch)

        figures[f"rules_{mappings}"] = _rate(decided, records, runs * 4)
    print(json.dumps(figures), flush=True)


def _rate(run: Callable[[list[Any]], int], events: list[Any], runs: int) -> float:
    run(events[: len(events) // 10])
    rates = []
    for _ in range(runs):
        began = time.perf_counter()
        done = run(events)
        rates.append(done / (time.perf_counter() - began))
        if done != len(events):
            raise SystemExit(f"{done} of {len(events)} events were mapped")
    return statistics.median(rates)


def _rules(mappings: int) -> Rules:
    """So many mappings, of which three want the event ``Order Completed`` and each other one an event of its own."""
    names = ["Order Completed"] * _MATCHING + [f"Event {number}" for number in range(mappings - _MATCHING)]
    listed = [
        {
            "name": f"m{number}",
            "action": "addContactToXmd",
            "when": f'type = "track" and event = "{name}"',
            "fields": {"directoryId": "POOL_bench"},
        }
        for number, name in enumerate(names)
    ]
    document = {
        "version": 1,
        "directories": [{"id": "POOL_bench", "name": "Bench"}],
        "sources": [{"id": "web", "write_key": "bench-write-key-0123456789abcdef"}],
        "connections": [{"name": "crm", "sources": ["web"], "mappings": listed}],
    }
    # JSON is YAML: the document is checked as a user's would be.
    return compile_document(check(json.dumps(document, indent=1)), 1, secrets=Secrets({}, Path())).rules


def _purchase(number: int) -> Record:
    event = make_event(number)
    event.update(type="track", event="Order Completed", userId=f"user-{number}", properties={"total": number})
    headers = (("source", b"web"), ("received-at", b"2024-05-01T12:00:10.000Z"))
    return RawRecord("segment.events", 0, number, 0, b"", orjson.dumps(event), headers)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
