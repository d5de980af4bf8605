"""Writing into an event at a path, and what would plausibly stand there."""

import re
from itertools import pairwise
from typing import Any

__all__ = ["Path", "clashes", "plausible", "put", "remove"]

Path = tuple[str, ...]

_MOST_ITEMS = 100
_NUMBER = re.compile(r"(price|total|amount|revenue|value|quantity|count|score|age|number|size|tax)$", re.IGNORECASE)
_DATE = re.compile(r"(At|Date|Time|timestamp|date|birthday)$")
_FLAG = re.compile(r"(is|has|wants)[A-Z_]|subscribed|optIn$|optOut$|consent$")
_LIST = re.compile(r"(products|items|tags)$")
_KNOWN: dict[str, Any] = {
    "email": "ada@shop.example",
    "phone": "+41 44 000 00 00",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "name": "Ada Lovelace",
    "language": "EN",
    "locale": "en-GB",
    "plan": "pro",
    "city": "Zurich",
    "country": "CH",
    "currency": "CHF",
    "company": "Shop Ltd",
    "event": "Transaction Created",
    "userId": "user-1",
    "anonymousId": "4d1e2b6c-5b0f-4c6e-9a51-7f2f6f0c9d11",
    "groupId": "company-1",
    "previousId": "4d1e2b6c-5b0f-4c6e-9a51-7f2f6f0c9d11",
    "url": "https://shop.example/boots",
    "ip": "192.0.2.1",
}


def plausible(path: Path, now: str) -> Any:
    """A value for a field of this name. ``now``: the event's moment, for fields that hold one."""
    name = path[-1]
    if len(path) == 1 and name in ("properties", "traits", "context", "integrations"):
        return {"plan": "pro"}
    if name in _KNOWN:
        return _KNOWN[name]
    if _NUMBER.search(name):
        return 42.5
    if _DATE.search(name):
        return now
    if _FLAG.search(name):
        return True
    if _LIST.search(name):
        return [{"name": "Boots", "price": 42.5, "quantity": 1}]
    return f"sample {name}"


def put(event: dict[str, Any], path: Path, value: Any) -> None:
    """Write the value; what is on the way and holds nothing makes room."""
    node: Any = event
    for key, following in pairwise(path):
        child = _child(node, key)
        if not isinstance(child, dict) and not (isinstance(child, list) and _index(following, child)):
            child = [] if following == "0" else {}
            _set(node, key, child)
        node = child
    _set(node, path[-1], value)


def remove(event: dict[str, Any], path: Path) -> None:
    """Leave out what stands at the path, if anything does."""
    node: Any = event
    for key in path[:-1]:
        node = _child(node, key)
    if isinstance(node, dict):
        node.pop(path[-1], None)
    elif isinstance(node, list) and _index(path[-1], node) and int(path[-1]) < len(node):
        node[int(path[-1])] = None


def clashes(one: Path, other: Path) -> bool:
    """Whether writing one path can change what is read at the other."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _child(node: Any, key: str) -> Any:
    if isinstance(node, dict):
        return node.get(key)
    if isinstance(node, list) and _index(key, node) and int(key) < len(node):
        return node[int(key)]
    return None


def _set(node: Any, key: str, value: Any) -> None:
    if isinstance(node, dict):
        node[key] = value
    elif int(key) < len(node):
        node[int(key)] = value
    else:
        node.append(value)


def _index(key: str, items: list[Any]) -> bool:
    """Whether the key names an item, or the place behind the last one."""
    return key.isascii() and key.isdecimal() and str(int(key[:4])) == key and int(key) <= min(len(items), _MOST_ITEMS)
