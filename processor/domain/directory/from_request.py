"""From what a caller of the API sends to the command that a directory understands: as of an event, by other rules.

Absent and empty mean "no value", null clears on purpose; a wrong date is refused, because somebody is there to be
told; a contact that nobody can be found by is made, as Qualtrics does.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from processor.domain.actions import as_text, read_date
from processor.domain.directory.command import Command, Transaction, Value
from processor.domain.directory.effect_keys import effect_key
from processor.domain.directory.ids import derived_contact
from processor.domain.directory.matching import guard_key, lookup_keys
from processor.domain.directory.values import MAX_BYTES, PERSON, is_too_long, put_embedded
from processor.domain.rules import Directory
from processor.errors import RejectedError

__all__ = ["SOURCE", "Asking", "contact_command", "date_of", "text_data", "transaction_command"]

SOURCE = "api"
"""In the source's place of every command of the API (schema section 2)."""


class Asking(NamedTuple):
    """Who asks, when, and of which directory."""

    directory: Directory
    token: str
    """The token's name."""
    request_id: str
    """Random, one a request: the messageId of what it writes."""
    at_ms: int
    key: str | None = None
    """The caller's ``Idempotency-Key``."""

    @property
    def once(self) -> str:
        """What makes ids of this request: the same again where the caller can be recognised."""
        return self.request_id if self.key is None else self.key


def contact_command(asking: Asking, fields: Mapping[str, Any], contact: int | None = None) -> Command:
    """``fields``: those that were sent, checked by type. ``contact``: who it is, else the merge rules find somebody.

    Raises ``RejectedError`` (``value_too_long``).
    """
    values: dict[str, Value] = {}
    for name, value in fields.items():
        if name in PERSON:
            if value and is_too_long(value):
                raise RejectedError("value_too_long", f"{name} is over {MAX_BYTES} bytes: send a shorter value")
        elif name != "unsubscribed":
            continue
        if value != "":
            values[name] = value
    dropped = put_embedded(fields.get("embeddedData") or {}, values, clear=True)
    keys = lookup_keys(asking.directory.merge_rules, values)
    return _command(asking)._replace(
        values=values,
        keys=keys,
        guard=guard_key(asking.directory.merge_rules, values),
        contact=contact,
        dropped=dropped,
        unmatched=None
        if keys or contact is not None
        else derived_contact(asking.directory.id, asking.token, asking.once),
    )


def transaction_command(asking: Asking, place: str, contact: int, given: Mapping[str, Any]) -> Command:
    """``place``: the caller's key of this transaction; ``given``: what stands there, checked by type.

    Raises ``RejectedError`` (``QVAL_3``) for a date that cannot be read.
    """
    date = given.get("transactionDate")
    transaction = Transaction(
        key=effect_key("transaction", SOURCE, asking.token, f"{asking.once}\x1f{place}"),
        date_ms=asking.at_ms if date is None else date_of(date),
        data=text_data(given.get("data") or {}),
        mailing_list=given.get("mailingListId") or asking.directory.default_mailing_list,
    )
    return _command(asking)._replace(contact=contact, transaction=transaction)


def date_of(text: str) -> int:
    """Milliseconds since 1970. Raises ``RejectedError`` (``QVAL_3``)."""
    date = read_date(text)
    if date is None:
        raise RejectedError("QVAL_3", "transactionDate must be YYYY-MM-DD HH:MM:SS in UTC, or ISO 8601 with an offset")
    return date


def text_data(data: Mapping[str, Any]) -> dict[str, str]:
    """A transaction's values as they are stored: text, of objects and lists the JSON; null is no value."""
    return {name: as_text(value) for name, value in data.items() if value is not None}


def _command(asking: Asking) -> Command:
    return Command(
        directory=asking.directory.id,
        mapping=f"{SOURCE}/{asking.token}",
        source=SOURCE,
        message_id=asking.request_id,
        at_ms=asking.at_ms,
    )
