"""A contact and how commands change it.

``fold`` is pure, and any order and any repetition of the same commands gives the same contact (design section 5):
each field remembers the stamp that wrote it and the greatest stamp wins, ties by the greater value bytes.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from processor.domain.directory.command import EMBEDDED, Command, CommandResult, Stamp, Value
from processor.domain.directory.matching import MergeRules, stored_keys

__all__ = ["MAX_EMBEDDED_FIELDS", "Contact", "born", "bounded", "carried", "fold", "order", "stamps_of"]

MAX_EMBEDDED_FIELDS = 500
"""Of one contact. Of more, those first by name stay, whatever the order of arrival. Source: schema section 5."""


class Contact(NamedTuple):
    """The fields of a contact and, for each, the stamp that wrote it. A cleared field is ``None`` with a stamp."""

    values: Mapping[str, Value] = MappingProxyType({})
    stamps: Mapping[str, Stamp] = MappingProxyType({})
    adopted: tuple[bytes, ...] = ()
    """Keys of contacts that were merged into this one: it is found by them although its values do not make them."""


def order(value: Value) -> tuple[int, bytes]:
    """A total order: cleared, then a boolean, then text by its bytes."""
    if value is None:
        return 0, b""
    return (2, value.encode("utf-8", "surrogatepass")) if isinstance(value, str) else (1, repr(value).encode())


def stamps_of(command: Command) -> tuple[Stamp, Stamp]:
    """The stamps of a command's ordinary and of its initial values."""
    at_ms, message_id, mapping = command.at_ms, command.message_id, command.mapping
    return (1, at_ms, message_id, mapping), (0, -at_ms, message_id, mapping)


def born(command: Command) -> Contact:
    """The contact that a command makes: ``fold`` into nothing, where there is nothing to compare with."""
    ordinary, initial = stamps_of(command)
    stamps = {**dict.fromkeys(command.initial, initial), **dict.fromkeys(command.values, ordinary)}
    return bounded(Contact({**command.initial, **command.values}, stamps))


def fold(contact: Contact, command: Command) -> tuple[Contact, CommandResult]:
    """The contact after the command: ``changed``, or the same contact because the command was ``repeated``
    (each of its fields stands just so) or ``superseded`` (later ones had written them)."""
    known, held = contact.stamps, contact.values
    if not known and not contact.adopted:
        made = born(command)
        return made, "changed" if made.values else "repeated"
    values: dict[str, Value] = {}
    stamps: dict[str, Stamp] = {}
    superseded = False
    ordinary, initial = stamps_of(command)
    for given, stamp in ((command.initial, initial), (command.values, ordinary)):
        for name, value in given.items():
            before = stamps.get(name) or known.get(name)
            if before is None or stamp > before:
                values[name] = value
                stamps[name] = stamp
            elif stamp != before:
                superseded = superseded or stamp is ordinary
            elif order(value) > order(values[name] if name in values else held[name]):
                values[name] = value
    if not values:
        return contact, "superseded" if superseded else "repeated"
    return bounded(Contact({**held, **values}, {**known, **stamps}, contact.adopted)), "changed"


def carried(storing: MergeRules, contact: Contact) -> Sequence[bytes]:
    """Every key by which the contact can be found. ``storing``: the rules whose keys are stored."""
    keys = stored_keys(storing, contact.values)
    return [*keys, *contact.adopted] if contact.adopted else keys


def bounded(contact: Contact) -> Contact:
    """The contact with as many embedded fields as it may have."""
    if len(contact.values) <= MAX_EMBEDDED_FIELDS:
        return contact
    embedded = sorted(name for name in contact.values if name.startswith(EMBEDDED))
    over = frozenset(embedded[MAX_EMBEDDED_FIELDS:])
    return Contact(
        {name: value for name, value in contact.values.items() if name not in over},
        {name: stamp for name, stamp in contact.stamps.items() if name not in over},
        contact.adopted,
    )
