"""The document without its plain secrets: what may be shown."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from processor.config.faults import Path, shown
from processor.config.reading import read
from processor.config.secrets import MASK

__all__ = ["mask", "masked_data"]

_SECRETS = {"api_tokens": "token", "sources": "write_key"}
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*", re.MULTILINE)


def mask(text: str) -> str:
    """The same text, each plain secret replaced by ``'***'``. Raises ``DocumentError`` for what is no YAML."""
    text = text.removeprefix("\ufeff")  # the library does not count it
    reading = read(text)
    found = dict(_plain(reading.data))
    spans = sorted((reading.spans[shown(path)] for path in found), reverse=True)
    for start, end in spans:
        written = text[start:end]
        ending = written[len(written.rstrip()) :]
        text = text[:start] + f"'{MASK}'" + ending + text[end:]
    for secret in sorted(set(found.values()), key=len, reverse=True):
        text = _COMMENT.sub(lambda comment, secret=secret: comment[0].replace(secret, MASK), text)  # type: ignore[misc]
    return text


def masked_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """The document's values, each plain secret replaced by ``***``; the rest is shared with ``data``."""
    found = dict(data)
    for section, key in _SECRETS.items():
        if isinstance(data.get(section), list):
            found[section] = [_masked_entry(entry, key) for entry in data[section]]
    return found


def _masked_entry(entry: Any, key: str) -> Any:
    if not isinstance(entry, dict) or key not in entry:
        return entry
    value = entry[key]
    if isinstance(value, list):
        return {**entry, key: [MASK if isinstance(one, str) else one for one in value]}
    return {**entry, key: MASK} if isinstance(value, str) else entry


def _plain(data: Any) -> Iterator[tuple[Path, str]]:
    if not isinstance(data, dict):
        return
    for section, key in _SECRETS.items():
        entries = data.get(section)
        for place, entry in enumerate(entries if isinstance(entries, list) else ()):
            value = entry.get(key) if isinstance(entry, dict) else None
            path: Path = (section, place, key)
            if isinstance(value, str):
                yield path, value
            elif isinstance(value, list):
                yield from (((*path, at), one) for at, one in enumerate(value) if isinstance(one, str))
