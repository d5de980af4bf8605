"""The section ``connections``: which sources feed which mappings."""

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import Field

from processor.config.faults import Findings, Path, nearest, shown
from processor.config.mappings import Place, read_mapping
from processor.config.shapes import NAME, Shape, items, load, unique
from processor.domain.rules import ALWAYS_KNOWN_SOURCE, Directory, Rule

__all__ = ["read_connections"]


class _Connection(Shape):
    name: str = Field(pattern=NAME, description="a name of up to 100 characters without `/`")
    sources: Any = "all"
    enabled: bool = True
    mappings: Any = None


def read_connections(
    data: Any, sources: Collection[str], directories: Mapping[str, Directory], found: Findings
) -> tuple[Rule, ...]:
    """The mappings of every connection as rules, in the document's order."""
    entries = items(data, ("connections",), found)
    unique("name", entries, found)
    rules: list[Rule] = []
    identities: dict[str, Path] = {}
    for path, entry in entries:
        shape = load(_Connection, entry, path, found)
        raw = entry if isinstance(entry, dict) else {}
        listens = _sources(raw.get("sources", "all"), (*path, "sources"), sources, found)
        mappings = items(raw.get("mappings"), (*path, "mappings"), found)
        unique("name", mappings, found)
        name = raw.get("name") if isinstance(raw.get("name"), str) else "?"
        place = Place(str(name), shape.enabled if shape else True, listens, directories)
        for where, mapping in mappings:
            rule = read_mapping(mapping, where, place, found)
            if rule is None:
                continue
            first = identities.setdefault(rule.mapping, where)
            if first != where and "id" in mapping:
                taken = f"`{rule.mapping}` is already the identity of the mapping in line {found.line(shown(first))}"
                found.fault((*where, "id"), f"{taken}; effects are keyed by it, so give each its own")
            rules.append(rule)
    return tuple(rules)


def _sources(data: Any, path: Path, known: Collection[str], found: Findings) -> frozenset[str] | None:
    if data == "all":
        return None
    if not isinstance(data, list) or not data:
        found.fault(path, "write `all`, or a list of ids of sources, such as [web]")
        return None
    for place, name in enumerate(data):
        if not isinstance(name, str):
            found.fault((*path, place), "write the id of a source; put it into quotes")
        elif name not in known and name != ALWAYS_KNOWN_SOURCE:
            found.fault((*path, place), f"no source `{name}`; {nearest(name, (*known, ALWAYS_KNOWN_SOURCE))}")
    return frozenset(name for name in data if isinstance(name, str))
