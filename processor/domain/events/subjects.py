"""Of whom raw bytes speak: so that a person's dead letters are found again when the person is to be forgotten.

A dead letter may hold anything, an event, a whole batch, or no JSON at all. Ids and e-mail addresses in it become
hashes, by which it can be found without reading every letter and without keeping anything that can be read.
"""

import re
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import orjson

__all__ = ["MOST_SUBJECTS", "subject", "subjects"]

MOST_SUBJECTS = 5_000
"""Of one letter; a batch has at most 2,500 events."""
_IDS = ("userId", "anonymousId", "previousId", "extRef", "externalDataReference")
_LONGEST = 512
"""Bytes of an id or an address. Source: schema section 7."""
_ADDRESS = re.compile(rb"[^\s\"'<>,:;(){}\[\]\\@]{1,256}@[^\s\"'<>,:;(){}\[\]\\@]{1,256}")
_ID = re.compile(rb'"(?:%s)"\s{0,20}:\s{0,20}("(?:[^"\\]|\\.){1,512}"|-?\d{1,20})' % "|".join(_IDS).encode())


def subject(text: str) -> bytes:
    """The hash of an id or an address: 8 bytes, trimmed and without regard to case, as people are matched."""
    return blake2b(text.strip().casefold().encode("utf-8", "surrogatepass"), digest_size=8).digest()


def subjects(key: bytes | None, value: bytes | None) -> list[bytes]:
    """The hashes of Kafka's key and of every id and address in the value, each once, ``MOST_SUBJECTS`` at most."""
    found: dict[bytes, None] = {}
    for text in _texts(key, value or b""):
        if text.strip() and len(text) <= _LONGEST:
            found[subject(text)] = None
            if len(found) == MOST_SUBJECTS:
                break
    return list(found)


def _texts(key: bytes | None, value: bytes) -> Iterator[str]:
    if key is not None:
        yield key.decode("utf-8", "replace")
    try:
        document = orjson.loads(value)
    except orjson.JSONDecodeError:
        yield from _in_bytes(value)
    else:
        yield from _in_json(document)


def _in_json(document: Any) -> Iterator[str]:
    pending = [document]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending += item
        elif isinstance(item, dict):
            for name in _IDS:
                if type(item.get(name)) in (str, int, float):
                    yield str(item[name])
            pending += item.values()
        elif isinstance(item, str) and "@" in item:
            yield item


def _in_bytes(value: bytes) -> Iterator[str]:
    for match in _ADDRESS.finditer(value):
        yield match[0].decode("utf-8", "replace")
    for match in _ID.finditer(value):
        try:
            yield str(orjson.loads(match[1]))
        except orjson.JSONDecodeError:
            yield match[1].strip(b'"').decode("utf-8", "replace")
