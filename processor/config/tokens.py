"""The section ``api_tokens``: who may use the API, and for what."""

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from processor.config.faults import Findings, nearest
from processor.config.secrets import Secret, read_secret
from processor.config.shapes import NAME, Shape, items, load, unique

__all__ = ["SCOPES", "Token", "read_tokens"]

SCOPES = frozenset(("directory:read", "directory:write", "trigger", "results", "control"))


@dataclass(frozen=True, slots=True)
class Token:
    """An entry of ``api_tokens``, its secrets not resolved yet."""

    name: str
    secrets: tuple[Secret, ...]
    scopes: frozenset[str]
    requests_per_s: float | None = None


class _Limits(Shape):
    requests_per_s: float = Field(ge=0.01, le=100_000, description="a number from 0.01 to 100000")


class _Token(Shape):
    name: str = Field(pattern=NAME, description="a name of up to 100 characters without `/`")
    token: Any
    scopes: list[str] | None = None
    limits: Any = None


def read_tokens(data: Any, found: Findings) -> tuple[Token, ...]:
    """Every entry that holds; what does not hold is in ``found``."""
    entries = items(data, ("api_tokens",), found)
    unique("name", entries, found)
    tokens = []
    for path, entry in entries:
        shape = load(_Token, entry, path, found)
        secrets = read_secret(entry["token"], (*path, "token"), found) if _has(entry, "token") else ()
        limits = load(_Limits, entry["limits"], (*path, "limits"), found) if _has(entry, "limits") else None
        if shape is None:
            continue
        for place, scope in enumerate(shape.scopes or ()):
            if scope not in SCOPES:
                found.fault((*path, "scopes", place), f"no scope; {nearest(scope, SCOPES)}")
        if shape.scopes is None:
            found.warn(path, "without `scopes` this token may do everything; name those it needs")
        elif not shape.scopes:
            found.fault((*path, "scopes"), "this token may do nothing; name a scope, such as directory:read")
        scopes = SCOPES if shape.scopes is None else frozenset(shape.scopes)
        tokens.append(Token(shape.name, secrets, scopes, limits.requests_per_s if limits else None))
    return tuple(tokens)


def _has(entry: Any, key: str) -> bool:
    return isinstance(entry, dict) and key in entry
