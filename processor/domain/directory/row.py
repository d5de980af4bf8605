"""A contact as the table keeps it: standard fields in columns, embedded ones in JSON, and ``why``.

``why`` is short: ``{"by": who made it, "w": [stamps that wrote something], "f": {field: position in w}}``; most
contacts were written by two or three events, so a stamp is kept once, not once a field. ``"a"``: adopted keys as hex,
where there are any.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from processor.domain.directory.command import EMBEDDED, STANDARD_FIELDS, Command, Stamp, Value
from processor.domain.directory.contact import MAX_EMBEDDED_FIELDS, Contact, born, stamps_of

__all__ = ["Row", "from_row", "new_row", "to_row"]

Row = tuple[list[Value], Mapping[str, str], Mapping[str, Any]]
"""(standard fields, embedded fields, why) of a contact."""
_STANDARD = frozenset(STANDARD_FIELDS)
_PREFIX = len(EMBEDDED)


def from_row(standard: Sequence[Value], embedded: Mapping[str, str], why: Mapping[str, Any]) -> Contact:
    """The contact of a row; ``standard`` in the order of ``STANDARD_FIELDS``."""
    writers: list[Stamp] = [tuple(writer) for writer in why["w"]]
    stamps = {name: writers[position] for name, position in why["f"].items()}
    values: dict[str, Value] = {
        name: value for name, value in zip(STANDARD_FIELDS, standard, strict=True) if name in stamps
    }
    for name in stamps:
        if name not in _STANDARD:
            values[name] = embedded.get(name[_PREFIX:])
    return Contact(values, stamps, tuple(map(bytes.fromhex, why["a"])) if "a" in why else ())


def to_row(contact: Contact, by: Mapping[str, str]) -> Row:
    """The row of a contact. ``by``: who made it, and who matched it last."""
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
            embedded[name[_PREFIX:]] = value
    why: dict[str, Any] = {"by": by, "w": list(positions), "f": fields}
    if contact.adopted:
        why["a"] = [key.hex() for key in contact.adopted]
    return list(map(values.get, STANDARD_FIELDS)), embedded, why


def new_row(command: Command, by: Mapping[str, str]) -> Row:
    """The row of ``born(command)``, which need not be made for it: 1.7 µs instead of 4.3."""
    initial, values = command.initial, command.values
    shape = _shape(tuple(initial), tuple(values))
    if shape is None:
        return to_row(born(command), by)
    standard = list(map(values.get, STANDARD_FIELDS))
    for position, name in shape.initial:
        standard[position] = initial[name]
    embedded = {short: value for name, short in shape.embedded if isinstance(value := values[name], str)}
    ordinary, first = stamps_of(command)
    writers = [first, ordinary] if initial and values else [first] if initial else [ordinary] if values else []
    return standard, embedded, {"by": by, "w": writers, "f": shape.fields}


class _Shape(NamedTuple):
    """What only the names of a command's fields decide about the row."""

    fields: Mapping[str, int]
    initial: Sequence[tuple[int, str]]
    embedded: Sequence[tuple[str, str]]


@lru_cache(maxsize=1024)
def _shape(initial: tuple[str, ...], values: tuple[str, ...]) -> _Shape | None:
    """``None`` where a field has both kinds of values, an embedded one is initial, or there are very many."""
    embedded = tuple((name, name[_PREFIX:]) for name in values if name not in _STANDARD)
    unusual = not frozenset(initial).isdisjoint(values) or not _STANDARD.issuperset(initial)
    if unusual or len(initial) + len(values) > MAX_EMBEDDED_FIELDS:
        return None
    fields = {**dict.fromkeys(initial, 0), **dict.fromkeys(values, 1 if initial else 0)}
    return _Shape(fields, tuple((STANDARD_FIELDS.index(name), name) for name in initial), embedded)
