"""What a field may hold: limits that are the same whoever sends it, an event or a caller of the API."""

from collections.abc import Mapping
from typing import Any

from processor.domain.actions import as_text
from processor.domain.directory.command import EMBEDDED, Value

__all__ = ["MAX_BYTES", "MAX_NAME", "MAX_VALUE", "PERSON", "SHORT", "is_too_long", "put_embedded"]

PERSON = frozenset(("extRef", "email", "phone", "firstName", "lastName", "language"))
"""The standard fields that are text."""
MAX_BYTES = 512
"""Of an id, e-mail address, phone number or name. Source: schema section 7."""
SHORT = MAX_BYTES // 4
MAX_NAME, MAX_VALUE = 200, 1_024
"""Characters of an embedded field's name and value. Source: qualtrics-directory.md section 5."""


def is_too_long(text: str) -> bool:
    """Whether a text of ``PERSON`` is over its limit. One of up to ``SHORT`` characters is not, whatever they are."""
    return len(text.encode()) > MAX_BYTES


def put_embedded(given: Mapping[str, Any], values: dict[str, Value], *, clear: bool = False) -> int:
    """Put embedded fields among the values; how many were left out because name or value is too long.

    Objects and lists become JSON text of that value. Empty is no value. ``clear``: a null clears its field.
    """
    dropped = 0
    for name, value in given.items():
        if value is None:
            if clear and len(name) <= MAX_NAME:
                values[EMBEDDED + name] = None
            continue
        text = value if type(value) is str else as_text(value)
        if text and len(name) <= MAX_NAME and len(text) <= MAX_VALUE:
            values[EMBEDDED + name] = text
        elif text:
            dropped += 1
    return dropped
