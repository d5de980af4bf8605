"""The events of the bench are the ones that Segment's engine is measured with, and so are our payloads."""

from bench.segment_events import EVENTS_DIGEST, MAPPING, PAYLOADS_DIGEST, digest, make_event

from processor import compile_mapping


def test_the_digests() -> None:
    """The first thousand events and payloads, to the byte."""
    events = [make_event(number) for number in range(1_000)]
    assert digest(events) == EVENTS_DIGEST
    assert digest(map(compile_mapping(MAPPING), events)) == PAYLOADS_DIGEST
