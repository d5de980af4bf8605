"""The HTTP side of a source: its secrets, its limits, and the pages that may call it."""

import re
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from processor.config.faults import Findings, Path
from processor.config.secrets import Secret, read_secret
from processor.config.shapes import Shape, load
from processor.ports.revisions import Limits

__all__ = ["HttpSide", "read_http_side"]

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_ORIGIN_ADVICE = "write scheme and host as browsers do, in lower case and without a path, such as https://shop.example"


@dataclass(frozen=True, slots=True)
class HttpSide:
    """``signing_secrets``: ``None`` where the document gives none; then the caller of a webhook shows the write key."""

    write_keys: tuple[Secret, ...] = ()
    signing_secrets: tuple[Secret, ...] | None = None
    batch_tokens: tuple[Secret, ...] = ()
    limits: Limits = field(default_factory=Limits)
    cors_origins: tuple[str, ...] | None = None
    """Origins of pages that may call; ``None``: any."""


class _Limits(Shape):
    requests_per_s: float | None = Field(None, ge=0.01, le=1_000_000, description="a number from 0.01 to 1000000")
    events_per_s: float | None = Field(None, ge=0.01, le=10_000_000, description="a number from 0.01 to 10000000")


def read_http_side(entry: dict[str, Any], path: Path, found: Findings) -> HttpSide:
    """Faults go to ``found``; what is returned then is of no use."""
    keys = _secret(entry, "write_key", path, found)
    if keys is None:
        found.fault((*path, "write_key"), "this key is needed; write {env: NAME} or {file: PATH}")
    return HttpSide(
        keys or (),
        _secret(entry, "signing_secret", path, found),
        _secret(entry, "batch_token", path, found) or (),
        _limits(entry.get("limits"), (*path, "limits"), found),
        _origins(entry.get("cors_origins"), (*path, "cors_origins"), found),
    )


def _secret(entry: dict[str, Any], key: str, path: Path, found: Findings) -> tuple[Secret, ...] | None:
    value = entry.get(key)
    if value is not None:
        return read_secret(value, (*path, key), found)
    if key in entry:
        # Left empty by mistake, a signing secret would mean that nothing need be signed.
        found.fault((*path, key), "no secret; write {env: NAME}, {file: PATH} or a text in quotes")
        return ()
    return None


def _limits(data: Any, path: Path, found: Findings) -> Limits:
    shape = load(_Limits, data, path, found) if data is not None else None
    return Limits(shape.requests_per_s, shape.events_per_s) if shape is not None else Limits()


def _origins(data: Any, path: Path, found: Findings) -> tuple[str, ...] | None:
    if data is None:
        return None
    if not isinstance(data, list) or not data:
        found.fault(path, 'write a list of origins, such as ["https://shop.example"]; left out, any page may call')
        return None
    for place, origin in enumerate(data):
        match = _ORIGIN.fullmatch(origin) if isinstance(origin, str) else None
        if match is None:
            found.fault((*path, place), f"no origin; {_ORIGIN_ADVICE}")
        elif match[2] is not None and match[2] == _DEFAULT_PORTS.get(origin.partition(":")[0]):
            found.fault((*path, place), f"browsers leave out the usual port; write {origin.removesuffix(match[2])}")
    return tuple(str(origin) for origin in data)
