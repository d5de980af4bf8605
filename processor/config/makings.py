"""A source's own mappings: how its records become events, how a platform's JSON becomes a result."""

from collections.abc import Callable
from typing import Any

from pydantic import Field

from processor.config.faults import Findings, Path, nearest
from processor.config.fields import is_literal, mapping_faults
from processor.config.shapes import Shape, items, load
from processor.domain.events.event import TYPES
from processor.domain.filters import parse_filter
from processor.domain.filters.tree import Matches
from processor.domain.mappings import compile_mapping
from processor.domain.sources import Making
from processor.errors import FilterSyntaxError, MappingError

__all__ = ["read_event", "read_result"]

_RESULT_KEYS = ("id", "kind", "occurredAt", "subject", "data")
_NO_ID = 'without `userId` or `anonymousId` every record is refused; write one of them, such as userId: {"@path": …}'


class _When(Shape):
    when: Any = Field(description="{jmespath: …}: which records")
    event: Any = Field(description="a mapping: what such a record becomes")


def read_event(data: Any, path: Path, found: Findings) -> tuple[Making, ...]:
    """The makings in their order, the first whose ``when`` holds counts; without a list the one for every record."""
    if not isinstance(data, list):
        make = _event(data, path, found)
        return () if make is None else (Making(_always, make),)
    if not data:
        found.fault(path, "an empty list makes no event of anything; write a mapping, or leave the key out")
    makings = []
    for where, entry in items(data, path, found):
        if load(_When, entry, where, found) is None:
            continue
        when = _jmespath(entry["when"], (*where, "when"), found)
        make = _event(entry["event"], (*where, "event"), found)
        if when is not None and make is not None:
            makings.append(Making(when, make))
    return tuple(makings)


def read_result(data: Any, path: Path, found: Findings) -> Callable[[Any], Any] | None:
    """The mapping that makes a result ``{id, kind, occurredAt, subject, data}``."""
    if _is_object(data):
        for key in data:
            if key not in _RESULT_KEYS:
                found.fault((*path, key), f"a result has no such key; {nearest(str(key), _RESULT_KEYS)}")
        for key in ("kind", "data"):
            if data.get(key) is None:
                found.fault(path, f"a result needs `{key}`; write {key}: and what it is given")
    return _compiled(data, path, found)


def _event(data: Any, path: Path, found: Findings) -> Callable[[Any], Any] | None:
    if _is_object(data):
        type_ = data.get("type")
        if type_ is None:
            found.fault(
                path, "without `type` every record is refused; write type: track, or another of Segment's calls"
            )
        elif is_literal(type_) and type_ not in TYPES:
            found.fault((*path, "type"), f"no type of an event; {nearest(str(type_), TYPES)}")
        elif type_ == "track" and data.get("event") in (None, ""):
            found.fault(path, "a track call needs `event`, its name; write event: and the name")
        if data.get("userId") is None and data.get("anonymousId") is None:
            found.fault(path, _NO_ID)
    return _compiled(data, path, found)


def _compiled(data: Any, path: Path, found: Findings) -> Callable[[Any], Any] | None:
    if not isinstance(data, dict):
        found.fault(path, 'this must be a mapping: keys with values, such as {"@path": "$.payload"}')
        return None
    try:
        return compile_mapping(data, document=True)
    except MappingError as error:
        mapping_faults(error.faults, data, path, found)
        return None


def _jmespath(data: Any, path: Path, found: Findings) -> Matches | None:
    if not isinstance(data, dict) or set(data) != {"jmespath"}:
        found.fault(path, "records of a topic are chosen by JMESPath only; write {jmespath: …}")
        return None
    try:
        return parse_filter(data).matches
    except FilterSyntaxError as error:
        found.fault(path, str(error))
        return None


def _is_object(data: Any) -> bool:
    """Whether the mapping writes its keys itself; a directive makes them at run time."""
    return isinstance(data, dict) and not any(str(key).startswith("@") for key in data)


def _always(_record: Any) -> bool:
    return True
