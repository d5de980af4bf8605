"""The section ``sources``: where events and results come from, by HTTP or from another system's Kafka topic."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import Field

from processor.config.faults import Findings, Path, shown
from processor.config.http_sources import HttpSide, read_http_side
from processor.config.makings import read_event, read_result
from processor.config.secrets import Secret
from processor.config.shapes import ID, Shape, items, load, unique
from processor.domain.rules import ALWAYS_KNOWN_SOURCE
from processor.domain.sources import Source

__all__ = ["SourceEntry", "read_sources"]

_TOPIC = r"^([A-Za-z0-9_-][A-Za-z0-9._-]{0,248}|\.[A-Za-z0-9_-][A-Za-z0-9._-]{0,247})$"
"""Source: Apache Kafka, ``org.apache.kafka.common.internals.Topic``."""
_OURS = ("segment.events", "segment.rejected", "results", "workflow.events")
_OUR_RESULTS = "isthmus"
"""The source of results that this installation made itself (design section 1)."""
_HTTP_KEYS = ("write_key", "signing_secret", "batch_token", "limits", "cors_origins", "results", "result")
_TOPIC_KEYS = ("start", "event")


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """An entry of ``sources``, its secrets not resolved yet. ``http``: ``None`` for a topic."""

    source: Source
    http: HttpSide | None
    path: Path


class _Source(Shape):
    id: str = Field(pattern=ID, description="1 to 40 of A–Z a–z 0–9 . _ -, such as web")
    accept_own: bool = False
    write_key: Any = None
    signing_secret: Any = None
    batch_token: Any = None
    limits: Any = None
    cors_origins: Any = None
    results: bool = False
    result: Any = None
    topic: str | None = Field(None, pattern=_TOPIC, description="the name of a Kafka topic, such as shop.orders")
    start: Literal["latest", "earliest"] = Field("latest", description="latest or earliest")
    event: Any = None


def read_sources(data: Any, found: Findings, *, rules: bool = True) -> tuple[SourceEntry, ...]:
    """Every source that holds; what does not hold is in ``found``.

    Without ``rules`` the mappings of topics are left alone: who decides nothing has no use for them.
    """
    entries = items(data, ("sources",), found)
    unique("id", entries, found)
    unique("topic", entries, found)
    sources = []
    for path, entry in entries:
        shape = load(_Source, entry, path, found)
        if not isinstance(entry, dict):
            continue
        http = _http(entry, path, found)
        if shape is not None:
            sources.append(SourceEntry(_source(shape, path, found, rules=rules), http, path))
    _once(sources, found)
    return tuple(sources)


def _http(entry: dict[str, Any], path: Path, found: Findings) -> HttpSide | None:
    """The HTTP side of an entry; and a fault for each key that belongs to the other kind."""
    if entry.get("topic") is None:
        for key in _TOPIC_KEYS:
            if key in entry:
                found.fault((*path, key), "this belongs to a source with `topic`; name the topic, or remove this")
        return read_http_side(entry, path, found)
    for key in _HTTP_KEYS:
        if key in entry:
            found.fault(
                (*path, key), "a source with `topic` is not called by HTTP; give the HTTP side a source of its own"
            )
    return None


def _source(shape: _Source, path: Path, found: Findings, *, rules: bool) -> Source:
    if shape.id == ALWAYS_KNOWN_SOURCE:
        found.fault((*path, "id"), f"`{shape.id}` is reserved for records that others wrote; choose another id")
    if shape.id == _OUR_RESULTS:
        found.fault((*path, "id"), f"`{shape.id}` is reserved for results of our own; choose another id")
    if shape.topic in _OURS:
        found.fault((*path, "topic"), "this topic is our own; write records there without naming it here")
    source = Source(shape.id, shape.accept_own, shape.topic, shape.start, results=shape.results)
    if rules and shape.topic is not None and shape.event is not None:
        source = replace(source, makings=read_event(shape.event, (*path, "event"), found))
    if shape.result is not None:
        if not shape.results:
            found.fault((*path, "result"), "this makes results; write `results: true` beside it")
        source = replace(source, result=read_result(shape.result, (*path, "result"), found))
    return source


def _once(sources: list[SourceEntry], found: Findings) -> None:
    """A write key names one source: fault the second that has it in the same words."""
    owners: dict[Secret, SourceEntry] = {}
    for entry in sources:
        for secret in entry.http.write_keys if entry.http is not None else ():
            owner = owners.setdefault(secret, entry)
            if owner is not entry:
                where = f"line {found.line(shown(owner.path))}"
                message = f"source `{owner.source.id}` ({where}) has the same write key; give each source its own"
                found.fault((*entry.path, "write_key"), message)
