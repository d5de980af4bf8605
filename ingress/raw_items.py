"""The bytes of one item of a batch, as its client wrote them: dead letters keep them, names are made of them.

Only used when an item is bad or has no messageId, so it is simple rather than fast (about 25 MB/s).
"""

import json
import re

import orjson

__all__ = ["find_items", "redact"]

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\],:]', re.DOTALL)
_TEXT = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)("\s*+:?|\\?$)', re.DOTALL)
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})")
_WRITE_KEY = re.compile(rb'("writeKey"\s*+:\s*+")([^"\\]*+(?:\\.[^"\\]*+)*+)')


def find_items(body: bytes) -> list[tuple[int, int]]:
    """Start and end of each item of the array ``batch`` in a body that is valid JSON; the last ``batch`` counts."""
    found: list[tuple[int, int]] = []
    depth = 0
    key: bytes | None = None
    items: list[tuple[int, int]] | None = None
    start = 0
    for token in _TOKEN.finditer(body):
        text = token.group()
        first = text[:1]
        if first in b"{[":
            depth += 1
            if depth == 2 and first == b"[" and _is_batch(key):
                items, start = [], token.end()
        elif first in b"}]":
            if depth == 2 and items is not None:
                if items or body[start : token.start()].strip():
                    items.append(_strip(body, start, token.start()))
                found, items = items, None
            depth -= 1
        elif depth == 2 and items is not None and first == b",":
            items.append(_strip(body, start, token.start()))
            start = token.end()
        elif depth == 1 and first == b'"':
            key = text
        elif depth == 1 and first == b",":
            key = None
    return found


def _is_batch(key: bytes | None) -> bool:
    return key is not None and (key == b'"batch"' or (b"\\" in key and orjson.loads(key) == "batch"))


def _strip(body: bytes, start: int, end: int) -> tuple[int, int]:
    piece = body[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())


def redact(raw: bytes, key: str) -> bytes:
    """Overwrite the write key with ``*``, wherever it stands, and every value of ``writeKey``; the length stays."""
    raw = _WRITE_KEY.sub(lambda found: found[1] + b"*" * len(found[2]), raw)
    secret = key.encode(errors="replace")
    if secret:
        raw = raw.replace(secret, b"*" * len(secret))
    return _redact_escaped(raw, key) if b"\\" in raw else raw


def _redact_escaped(raw: bytes, key: str) -> bytes:
    """The same for what is written with escapes, ``"\\u0077riteKey"``: a parser reads it, a search does not."""
    after_name = -1

    def mask(found: re.Match[bytes]) -> bytes:
        nonlocal after_name
        text = _unescaped(found[1])
        named = after_name >= 0 and not raw[after_name : found.start()].strip()
        secret = named or (key != "" and key in text)
        after_name = found.end() if text == "writeKey" and found[2].endswith(b":") else -1
        return b'"' + b"*" * len(found[1]) + found[2] if secret else found[0]

    return _TEXT.sub(mask, raw)


def _unescaped(text: bytes) -> str:
    if b"\\" not in text:
        return text.decode(errors="replace")
    try:
        return str(json.loads(b'"' + text + b'"', strict=False))
    except ValueError:
        # Cut off, perhaps in the middle of an escape: what stands before that is looked at.
        return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text.decode(errors="replace"))
