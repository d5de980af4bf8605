"""From a mapped payload to the command that a directory understands.

Segment's defaults have traps that are met here, after the mapping, so that pasted mappings keep their meaning
(configuration.md rule 4): defaults of language and opt-out count on creation only, a transaction's person never
overwrites, a mailing list may be absent.
"""

from collections.abc import Mapping
from typing import Any

from processor.domain.actions import ACTIONS, as_text, finish, transaction_date
from processor.domain.directory.command import Command, Transaction, Value
from processor.domain.directory.effect_keys import effect_key
from processor.domain.directory.ids import contact_id, derived_contact
from processor.domain.directory.matching import guard_key, key_fields, lookup_keys
from processor.domain.directory.values import MAX_BYTES, PERSON, SHORT, is_too_long, put_embedded
from processor.domain.events.event import Event
from processor.domain.events.times import parse_ms
from processor.domain.mappings import MISSING
from processor.domain.rules import Directory, Rule
from processor.errors import RejectedError

__all__ = ["command_of", "stamp_time"]

_CLOCKS_AGREE_MS = 60_000
_MOST_AHEAD_MS = 300_000


def stamp_time(event: Event) -> int:
    """When the event happened, in ms, for deciding which value is the later one (schema section 5).

    Real repeats are not identical: an SDK sets ``sentAt`` anew on each try, so the corrected time moves by the
    latency. While the clocks agree within a minute the client's own stamp is used, which does not move.
    """
    body, received = event.body, event.received_at_ms
    sent = parse_ms(body.get("sentAt"))
    original = parse_ms(body.get("originalTimestamp"))
    # What came by Segment was received there: a webhook delivers later, and sometimes twice.
    arrived = parse_ms(body.get("receivedAt")) or received
    agree = sent is not None and abs(arrived - sent) <= _CLOCKS_AGREE_MS
    happened = original if original is not None and agree else parse_ms(body.get("timestamp"))
    return min(received if happened is None else happened, received + _MOST_AHEAD_MS)


def command_of(rule: Rule, event: Event, directories: Mapping[str, Directory]) -> Command:
    """Map the event and check the result. Raises ``RejectedError`` with the rule that it breaks."""
    shortcut, transaction, contact, dropped = rule.shortcut, None, None, 0
    directory = None if shortcut is None else directories.get(shortcut.directory)
    person = None if shortcut is None or directory is None else shortcut.person(event.body)
    happened = stamp_time(event)
    if person is not None and directory is not None:
        values, initial = person
        if rule.clear_on_null:
            _clear(rule, event, values)
    else:
        mapped = rule.payload(event.body)
        payload = finish({} if mapped is MISSING else mapped, ACTIONS[rule.action])
        directory = directories.get(payload["directoryId"])
        if directory is None:
            raise RejectedError("unknown_directory", f"no directory {payload['directoryId']}: add it to the document")
        values, initial, dropped = _person(rule, event, payload)
        if rule.action == "upsertContactTransaction":
            values, initial = {}, {**values, **initial}
            transaction = _transaction(rule, event, payload, directory, happened)
            contact = _contact(payload.get("contactId"))
    found_by_initial = initial and not key_fields(directory.merge_rules).isdisjoint(initial)
    everything = {**initial, **values} if found_by_initial else values
    keys = lookup_keys(directory.merge_rules, everything)
    unmatched = None if keys or contact is not None else _unmatched(directory, rule, event)
    guard = guard_key(directory.merge_rules, everything)
    return Command(  # by position: by name it takes twice as long
        directory.id, rule.mapping, event.source, event.message_id, happened,
        values, initial, keys, transaction, contact, dropped, unmatched, guard,
    )  # fmt: skip


def _person(rule: Rule, event: Event, payload: Mapping[str, Any]) -> tuple[dict[str, Value], dict[str, Value], int]:
    """(ordinary values, values that count on creation only, embedded fields left out)."""
    values: dict[str, Value] = {}
    initial: dict[str, Value] = {}
    for name, value in payload.items():
        if name in PERSON:
            if len(value) > SHORT and is_too_long(value):  # nearly all are short, and this runs for each event
                raise RejectedError("value_too_long", f"{name} is over {MAX_BYTES} bytes: map a shorter value")
        elif name != "unsubscribed":
            continue
        if name in rule.creation_only and not (name == "language" and _names_a_language(event)):
            initial[name] = value
        else:
            values[name] = value
    dropped = put_embedded(payload.get("embeddedData", {}), values)
    _clear(rule, event, values)
    return values, initial, dropped


def _clear(rule: Rule, event: Event, values: dict[str, Value]) -> None:
    for name, path in rule.clear_on_null.items():
        if path(event.body) is None:
            values[name] = None


def _names_a_language(event: Event) -> bool:
    """Whether the language is the event's own and not only the action's default."""
    traits = event.body.get("traits")
    return isinstance(traits, dict) and traits.get("language") not in (None, "")


def _contact(cid: str | None) -> int | None:
    """The contact that the transaction names. Raises ``RejectedError`` for a text that is no contact's id."""
    if not cid:
        return None
    number = contact_id(cid)
    if number is None:
        raise RejectedError("unknown_contact", "contactId is no id of a contact: remove it, or map one (CID_…)")
    return number


def _transaction(
    rule: Rule, event: Event, payload: Mapping[str, Any], directory: Directory, happened: int
) -> Transaction:
    data = payload.get("transactionData", {})
    return Transaction(
        key=effect_key("transaction", event.source, rule.mapping, event.message_id),
        date_ms=transaction_date(payload.get("transactionDate"), happened),
        data={name: as_text(value) for name, value in data.items() if value is not None},
        mailing_list=payload.get("mailingListId") or directory.default_mailing_list,
    )


def _unmatched(directory: Directory, rule: Rule, event: Event) -> int:
    if not directory.create_unmatched:
        fields = " or ".join("+".join(fields) for fields in directory.merge_rules)
        raise RejectedError(
            "no_matching_key",
            f"nobody can be found without {fields}, or extRef: map one of them, or set create_unmatched",
        )
    return derived_contact(directory.id, rule.mapping, event.message_id)
