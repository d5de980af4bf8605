"""A contact as the table keeps it: standard fields in columns, embedded ones in JSON, and ``why``.

``why`` is short: ``{"by": who made it, "w": [stamps that wrote something], "f": {field: position in w}}``; most
contacts were written by two or three events, so a stamp is kept once, not once a field. ``"a"``: adopted keys as hex,
where there are any.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from processor.domain.directory.command import EMBEDDED, STANDARD_FIELDS, Stamp, Value
from processor.domain.directory.contact import Contact

__all__ = ["from_row", "to_row"]


_STANDARD = frozenset(STANDARD_FIELDS)


def from_row(standard: Sequence[Value], embedded: Mapping[str, str], why: Mapping[str, Any]) -> Contact:
    """The contact of a row; ``standard`` in the order of ``STANDARD_FIELDS``."""
    writers: list[Stamp] = [tuple(writer) for writer in why["w"]]
    stamps = {name: writers[position] for name, position in why["f"].items()}
    values: dict[str, Value] = {
        name: value for name, value in zip(STANDARD_FIELDS, standard, strict=True) if name in stamps
    }
    for name in stamps:
        if name.startswith(EMBEDDED):
            values[name] = embedded.get(name[len(EMBEDDED) :])
    return Contact(values, stamps, tuple(map(bytes.fromhex, why["a"])) if "a" in why else ())


def to_row(contact: Contact, by: Mapping[str, str]) -> tuple[list[Value], dict[str, str], dict[str, Any]]:
    """(standard fields, embedded fields, why) of a contact."""
    values = contact.values
    positions: dict[Stamp, int] = {}
    fields: dict[str, int] = {}
    embedded: dict[str, str] = {}
    latest: Stamp | None = None
    position = 0
    for name, stamp in contact.stamps.items():
        if stamp is not latest:  # a command stamps all its fields with one tuple
            position = positions.setdefault(stamp, len(positions))
            latest = stamp
        fields[name] = position
        if name not in _STANDARD and isinstance(value := values[name], str):
            embedded[name[len(EMBEDDED) :]] = value
    why: dict[str, Any] = {"by": by, "w": list(positions), "f": fields}
    if contact.adopted:
        why["a"] = [key.hex() for key in contact.adopted]
    return [values.get(name) for name in STANDARD_FIELDS], embedded, why
