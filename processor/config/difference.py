"""What changes from one document to another, for a person to read before applying it."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from processor.config.masking import mask
from processor.config.reading import read

__all__ = ["Difference", "diff"]


@dataclass(frozen=True, slots=True)
class Difference:
    """``text`` is a unified diff with plain secrets masked, empty when nothing is to be seen."""

    text: str
    warnings: tuple[str, ...]


def diff(old: str, new: str, old_name: str = "before", new_name: str = "after") -> Difference:
    """Raises ``DocumentError`` when one of them is no YAML. An empty ``old`` stands for no document at all."""
    before = mask(old) if old else ""
    lines = unified_diff(before.splitlines(keepends=True), mask(new).splitlines(keepends=True), old_name, new_name, n=3)
    text = "".join(line if line.endswith("\n") else line + "\n" for line in lines)
    warnings = list(_renamed(_mappings(old), _mappings(new))) if old else []
    if not text and old != new:
        warnings.append("only plain secrets changed, or the ends of lines")
    return Difference(text, tuple(warnings))


def _renamed(old: dict[str, dict[str, Any]], new: dict[str, dict[str, Any]]) -> Iterator[str]:
    gone = {identity: mapping for identity, mapping in old.items() if identity not in new}
    for identity, mapping in new.items():
        if identity in old:
            continue
        former = next((name for name, was in gone.items() if _alike(was, mapping)), None)
        if former is not None:
            del gone[former]
            yield (
                f"the identity of mapping `{former}` becomes `{identity}`: effects are keyed by it, so an event"
                f" that comes again is applied again; write `id: {former}` to keep it"
            )


def _alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    same_place = one["place"] == other["place"]
    return same_place or all(one.get(key) == other.get(key) for key in ("action", "when", "fields"))


def _mappings(text: str) -> dict[str, dict[str, Any]]:
    """Every mapping by its identity, and where it stands as ``place``."""
    found = {}
    for connection in _entries(read(text).data, "connections"):
        for mapping in _entries(connection, "mappings"):
            place = f"{connection.get('name')}/{mapping.get('name')}"
            found[str(mapping.get("id") or place)] = {**mapping, "place": place}
    return found


def _entries(data: Any, key: str) -> list[dict[str, Any]]:
    section = data.get(key) if isinstance(data, dict) else None
    return [entry for entry in section if isinstance(entry, dict)] if isinstance(section, list) else []
