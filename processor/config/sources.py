"""The section ``sources``: where events come from. This version knows those that speak HTTP."""

from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field

from processor.config.faults import Findings, Path, shown
from processor.config.secrets import Secret, read_secret
from processor.config.shapes import ID, Shape, items, load, unique
from processor.domain.rules import ALWAYS_KNOWN_SOURCE, Source

__all__ = ["HttpEntry", "read_sources"]


@dataclass(frozen=True, slots=True)
class HttpEntry:
    """An entry of ``sources``, its write keys not resolved yet."""

    source: Source
    write_keys: tuple[Secret, ...]
    path: Path


class _Source(Shape):
    later: ClassVar[frozenset[str]] = frozenset(
        (
            "signing_secret", "batch_token", "limits", "cors_origins", "topic", "start", "event", "results", "result",
        )
    )  # fmt: skip

    id: str = Field(pattern=ID, description="1 to 40 of A–Z a–z 0–9 . _ -, such as web")
    write_key: Any = None
    accept_own: bool = False


def read_sources(data: Any, found: Findings) -> tuple[HttpEntry, ...]:
    """Every source that holds; what does not hold is in ``found``."""
    entries = items(data, ("sources",), found)
    unique("id", entries, found)
    sources = []
    for path, entry in entries:
        shape = load(_Source, entry, path, found)
        raw = entry if isinstance(entry, dict) else {}
        keys: tuple[Secret, ...] = ()
        if raw.get("write_key") is not None:
            keys = read_secret(raw["write_key"], (*path, "write_key"), found)
        elif raw and "topic" not in raw:
            found.fault((*path, "write_key"), "this key is needed; write {env: NAME} or {file: PATH}")
        if shape is None:
            continue
        if shape.id == ALWAYS_KNOWN_SOURCE:
            found.fault((*path, "id"), f"`{shape.id}` is reserved for records that others wrote; choose another id")
        sources.append(HttpEntry(Source(shape.id, shape.accept_own), keys, path))
    _once(sources, found)
    return tuple(sources)


def _once(sources: list[HttpEntry], found: Findings) -> None:
    """A write key names one source: fault the second that has it in the same words."""
    owners: dict[Secret, HttpEntry] = {}
    for entry in sources:
        for secret in entry.write_keys:
            owner = owners.setdefault(secret, entry)
            if owner is not entry:
                where = f"line {found.line(shown(owner.path))}"
                message = f"source `{owner.source.id}` ({where}) has the same write key; give each source its own"
                found.fault((*entry.path, "write_key"), message)
