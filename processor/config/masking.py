"""The document without its plain secrets: what may be shown."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from processor.config.faults import Path, shown
from processor.config.reading import read
from processor.config.secrets import MASK

__all__ = ["mask", "masked_data"]

_SECRETS = {
    "api_tokens": ("token",),
    "sources": ("write_key", "signing_secret", "batch_token"),
    "workflows": ("url_token",),
}
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
    for section, keys in _SECRETS.items():
        if isinstance(data.get(section), list):
            found[section] = [_masked_entry(entry, keys) for entry in data[section]]
    return found


def _masked_entry(entry: Any, keys: tuple[str, ...]) -> Any:
    if not isinstance(entry, dict):
        return entry
    return {key: _masked(value) if key in keys else value for key, value in entry.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, list):
        return [MASK if isinstance(one, str) else one for one in value]
    return MASK if isinstance(value, str) else value


def _plain(data: Any) -> Iterator[tuple[Path, str]]:
    if not isinstance(data, dict):
        return
    for section, keys in _SECRETS.items():
        entries = data.get(section)
        places = [
            ((section, place, key), entry[key])
            for place, entry in enumerate(entries if isinstance(entries, list) else ())
            for key in keys
            if isinstance(entry, dict) and key in entry
        ]
        for path, value in places:
            if isinstance(value, str):
                yield path, value
            elif isinstance(value, list):
                yield from (((*path, at), one) for at, one in enumerate(value) if isinstance(one, str))
