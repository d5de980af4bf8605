"""An event as the address of an image, for mails and pages without scripts: ``?data=BASE64``, or dotted keys."""

import binascii
from base64 import b64decode
from typing import Any

from aiohttp import web
from multidict import MultiMapping

from processor.domain.events.limits import MAX_DEPTH
from processor.domain.events.parsing import parse
from processor.errors import RejectedError

__all__ = ["GIF", "Asked", "answer_gif", "read_query"]

GIF = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""One transparent pixel, the answer whatever happened: a mail must not show a broken image."""
_BASE64 = str.maketrans("-_ ", "+/+")


class Asked:
    """What an address says: ``raw`` are the bytes to keep should it be refused, ``fault`` why it cannot be an event."""

    __slots__ = ("fault", "item", "raw")

    def __init__(self, item: Any, raw: bytes, fault: RejectedError | None = None) -> None:
        self.item = item
        self.raw = raw
        self.fault = fault


def read_query(query: "MultiMapping[str]") -> Asked:
    """What an address says: the object in ``data``, or one made of the keys, ``a.b=c`` for ``{"a": {"b": "c"}}``."""
    data = query.get("data")
    item: Any = {}
    if data is None:
        fault = None
        for name, value in query.items():
            fault = fault or _put(item, name, value)
        return Asked(item, "&".join(f"{name}={value}" for name, value in query.items()).encode(errors="replace"), fault)
    if "writeKey" in query:
        item["writeKey"] = query["writeKey"]
    try:
        # Addresses bear neither + nor / nor = well: the other alphabet, a space for a plus and no padding will do.
        text = data.strip().translate(_BASE64).rstrip("=")
        raw = b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        # What cannot be read may hold the write key, in a form in which nobody finds it: it is not kept.
        return Asked(item, b"", RejectedError("bad_encoding", "`data` is not base64."))
    try:
        found = parse(raw)
    except RejectedError as fault:
        return Asked(item, raw, fault)
    if type(found) is dict:
        found = {**item, **found}
    return Asked(found, raw)


def _put(item: dict[str, Any], name: str, value: str) -> RejectedError | None:
    *way, last = name.split(".")
    if len(way) >= MAX_DEPTH:
        return RejectedError("too_deep", f"Objects and arrays nest deeper than {MAX_DEPTH}; flatten the event.")
    node: Any = item
    for part in way:
        node = node.setdefault(part, {})
        if type(node) is not dict:
            break
    if type(node) is not dict or type(node.get(last)) is dict:
        return RejectedError("bad_object", "A key of the address is both a value and an object; send one of them.")
    node[last] = value
    return None


def answer_gif(status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """The image, never out of a cache: each showing is an event."""
    return web.Response(
        status=status, body=GIF, content_type="image/gif", headers={"Cache-Control": "no-store", **(headers or {})}
    )
