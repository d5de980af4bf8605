"""What Segment's Public API answers about a destination: its name, its subscriptions.

Source: GET /destinations/{id} and GET /destinations/{id}/subscriptions; in the code of Segment's destinations the
same things are called ``subscribe``, ``partnerAction`` and ``mapping``. The settings of a destination hold its
token: their names are kept, their values never.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import orjson

from processor.config.faults import Path, shown
from processor.errors import DocumentError, Fault

__all__ = ["Export", "Subscription", "join_exports", "read_export"]

_WANTED = (
    "this is no export of Segment; save the answer of GET /destinations/{id}/subscriptions or of "
    "GET /destinations/{id}, or a list of subscriptions"
)
_SUBSCRIPTION = "a subscription is an object with `actionSlug`, `trigger` and `settings`"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription. ``trigger`` is as it came, ``None`` where there is none; ``model``: of Reverse ETL."""

    name: str
    action: str
    enabled: bool
    trigger: Any
    fields: Mapping[str, Any] = field(repr=False)
    model: bool = False


@dataclass(frozen=True, slots=True)
class Export:
    """What one file says, or several together. ``subscriptions`` is ``None`` where none are spoken of."""

    name: str | None
    enabled: bool
    settings: tuple[str, ...]
    subscriptions: tuple[Subscription, ...] | None
    more: bool
    """Whether a later page of the answer is in no file."""


def read_export(raw: bytes) -> Export:
    """Raises ``DocumentError`` with one fault, its place and the rule, for a file that is nothing of the kind."""
    try:
        data = orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise DocumentError([Fault("", f"not JSON: {error.msg}", error.lineno)]) from None
    path: Path = ()
    while isinstance(data, dict) and "data" in data:
        data, path = data["data"], (*path, "data")
    if isinstance(data, list):
        return Export(None, True, (), _subscriptions(data, path), False)
    if not isinstance(data, dict):
        _refuse(path, _WANTED)
    destination, where = data, path
    if isinstance(data.get("destination"), dict):
        destination, where = data["destination"], (*path, "destination")
    elif "subscriptions" not in data and not ("name" in data and "metadata" in data):
        _refuse(path, _WANTED)
    owner, place = (data, path) if "subscriptions" in data else (destination, where)
    listed = "subscriptions" in owner
    settings = destination.get("settings")
    pages = data.get("pagination")
    return Export(
        name=_text(destination, "name", where),
        enabled=_flag(destination, where),
        settings=tuple(settings) if isinstance(settings, dict) else (),
        subscriptions=_subscriptions(owner["subscriptions"], (*place, "subscriptions")) if listed else None,
        more=isinstance(pages, dict) and bool(pages.get("next")),
    )


def join_exports(exports: Sequence[Export]) -> Export:
    """Several answers about one destination: its own, and the pages of its subscriptions."""
    pages = [export.subscriptions for export in exports if export.subscriptions is not None]
    return Export(
        name=next((export.name for export in exports if export.name), None),
        enabled=all(export.enabled for export in exports),
        settings=tuple(name for export in exports for name in export.settings),
        subscriptions=tuple(subscription for page in pages for subscription in page) if pages else None,
        more=sum(export.more for export in exports) >= max(1, len(pages)),
    )


def _subscriptions(data: Any, path: Path) -> tuple[Subscription, ...]:
    if not isinstance(data, list):
        _refuse(path, "this must be a list of subscriptions")
    return tuple(_subscription(entry, (*path, place)) for place, entry in enumerate(data))


def _subscription(data: Any, path: Path) -> Subscription:
    if not isinstance(data, dict):
        _refuse(path, _SUBSCRIPTION)
    action = _text(data, _key(data, "actionSlug", "partnerAction"), path)
    if not action:
        _refuse((*path, "actionSlug"), f"this key is needed; {_SUBSCRIPTION}")
    key = _key(data, "settings", "mapping")
    fields = {} if data.get(key) is None else data[key]
    if not isinstance(fields, dict):
        _refuse((*path, key), "this must be an object: the action's fields and what they are given")
    return Subscription(
        name=_text(data, "name", path) or action,
        action=action,
        enabled=_flag(data, path),
        trigger=data.get(_key(data, "trigger", "subscribe")),
        fields=fields,
        model=bool(data.get("modelId")),
    )


def _key(data: Mapping[str, Any], *names: str) -> str:
    return next((name for name in names if name in data), names[0])


def _text(data: Mapping[str, Any], key: str, path: Path) -> str | None:
    value = data.get(key)
    if value is not None and not isinstance(value, str):
        _refuse((*path, key), "this must be a text")
    return value


def _flag(data: Mapping[str, Any], path: Path) -> bool:
    value = data.get("enabled", True)
    if not isinstance(value, bool):
        _refuse((*path, "enabled"), "this must be true or false")
    return value


def _refuse(path: Path, message: str) -> NoReturn:
    raise DocumentError([Fault(shown(path), message)])
