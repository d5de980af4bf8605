"""What an event may not be, whoever sent it: too deep, or holding text that Postgres and UTF-8 refuse.

The checks look at the bytes first (two C scans, well under a microsecond); only a suspicion is walked exactly.
"""

from typing import Any

import orjson

from processor.errors import RejectedError

__all__ = ["MAX_DEPTH", "MAX_EVENT_BYTES", "check", "dump"]

MAX_DEPTH = 64
"""Objects and arrays inside one another, the event itself included. Source: schema.md section 7."""
MAX_EVENT_BYTES = 32 * 1024
"""Bytes of one event, and of one ordinary request. Source: Segment HTTP API docs, "32KB"."""
_BACKSLASH, _BRACKET = b"\\["
_MAX_INT = 2**64 - 1
_MIN_INT = -(2**63)


def dump(event: dict[str, Any]) -> bytes:
    """The bytes of an event that stays within the limits.

    Raises ``RejectedError``: ``too_deep``, ``bad_text`` or ``bad_number``.
    """
    try:
        value = orjson.dumps(event)
    except TypeError as error:
        _walk(event)
        raise RejectedError("bad_text", f"The event cannot be written as JSON: {error}.") from error
    check(value, event)
    return value


def check(value: bytes, event: object) -> None:
    """Hold an event that was parsed from ``value`` to the limits; raises as ``dump`` does."""
    # One byte, given as a number, is found many times faster than text, and most events have no backslash, no array.
    if (_BACKSLASH in value and b"\\u0000" in value) or value.count(b"{") + (
        value.count(b"[") if _BRACKET in value else 0
    ) > MAX_DEPTH:
        _walk(event)


def _walk(event: object) -> None:
    level: list[object] = [event]
    depth = 0
    while level:
        deeper: list[object] = []
        for node in level:
            if type(node) is dict:
                for name in node:
                    _check_text(name)
                deeper.extend(node.values())
            elif type(node) is list:
                deeper.extend(node)
            elif type(node) is str:
                _check_text(node)
            elif type(node) is int and not _MIN_INT <= node <= _MAX_INT:
                raise RejectedError("bad_number", "An integer is beyond 64 bit; send it as text.")
            elif type(node) is float and (node - node) != 0.0:
                raise RejectedError("bad_number", "A number is beyond what a double can hold; send it as text.")
        depth += any(type(node) is dict or type(node) is list for node in level)
        if depth > MAX_DEPTH:
            raise RejectedError("too_deep", f"Objects and arrays nest deeper than {MAX_DEPTH}; flatten the event.")
        level = deeper


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise RejectedError("bad_text", "A text holds the character \\u0000; remove it.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RejectedError("bad_text", "A text holds half of a surrogate pair; send valid Unicode.") from None
