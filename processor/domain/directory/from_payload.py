"""From a mapped payload to the command that a directory understands.

Segment's defaults have traps that are met here, after the mapping, so that pasted mappings keep their meaning
(configuration.md rule 4): defaults of language and opt-out count on creation only, a transaction's person never
overwrites, a mailing list may be absent.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from processor.domain.actions import ACTIONS, as_text, finish, transaction_date
from processor.domain.directory.command import EMBEDDED, Command, Transaction, Value
from processor.domain.directory.effect_keys import effect_key
from processor.domain.directory.ids import contact_id
from processor.domain.directory.matching import guard_key, lookup_keys
from processor.domain.events.event import Event
from processor.domain.events.times import parse_ms
from processor.domain.mappings import MISSING
from processor.domain.rules import Directory, Rule
from processor.errors import RejectedError

__all__ = ["command_of", "stamp_time"]

_PERSON = frozenset(("extRef", "email", "phone", "firstName", "lastName", "language"))
_MAX_BYTES = 512
"""Of an id, e-mail address, phone number or name. Source: schema section 7."""
_MAX_NAME, _MAX_VALUE = 200, 1_024
"""Characters of an embedded field's name and value. Source: qualtrics-directory.md section 5."""
_CLOCKS_AGREE_MS = 60_000
_MOST_AHEAD_MS = 300_000
_UNMATCHED = 1 << 62  # ids that were derived lie above those of the sequence


def stamp_time(event: Event) -> int:
    """When the event happened, in ms, for deciding which value is the later one (schema section 5).

    Real repeats are not identical: an SDK sets ``sentAt`` anew on each try, so the corrected time moves by the
    latency. While the clocks agree within a minute the client's own stamp is used, which does not move.
    """
    body, received = event.body, event.received_at_ms
    sent = parse_ms(body.get("sentAt"))
    original = parse_ms(body.get("originalTimestamp"))
    agree = sent is not None and abs(received - sent) <= _CLOCKS_AGREE_MS
    happened = original if original is not None and agree else parse_ms(body.get("timestamp"))
    return min(received if happened is None else happened, received + _MOST_AHEAD_MS)


def command_of(rule: Rule, event: Event, directories: Mapping[str, Directory]) -> Command:
    """Map the event and check the result. Raises ``RejectedError`` with the rule that it breaks."""
    mapped = rule.payload(event.body)
    payload = finish({} if mapped is MISSING else mapped, ACTIONS[rule.action])
    directory = directories.get(payload["directoryId"])
    if directory is None:
        raise RejectedError("unknown_directory", f"no directory {payload['directoryId']}: add it to the document")
    happened = stamp_time(event)
    values, initial, dropped = _person(rule, event, payload)
    transaction = None
    if rule.action == "upsertContactTransaction":
        values, initial = {}, {**values, **initial}
        transaction = _transaction(rule, event, payload, directory, happened)
    person = {**initial, **values} if initial else values
    contact = None if transaction is None else _contact(payload.get("contactId"))
    keys = lookup_keys(directory.merge_rules, person)
    unmatched = None if keys or contact is not None else _unmatched(directory, rule, event)
    return Command(
        directory=directory.id,
        mapping=rule.mapping,
        source=event.source,
        message_id=event.message_id,
        at_ms=happened,
        values=values,
        initial=initial,
        keys=keys,
        transaction=transaction,
        contact=contact,
        dropped=dropped,
        unmatched=unmatched,
        guard=guard_key(directory.merge_rules, person),
    )


def _person(rule: Rule, event: Event, payload: Mapping[str, Any]) -> tuple[dict[str, Value], dict[str, Value], int]:
    """(ordinary values, values that count on creation only, embedded fields left out)."""
    values: dict[str, Value] = {}
    initial: dict[str, Value] = {}
    for name, value in payload.items():
        if name in _PERSON:
            if len(value) > _MAX_BYTES // 4 and len(value.encode()) > _MAX_BYTES:
                raise RejectedError("value_too_long", f"{name} is over {_MAX_BYTES} bytes: map a shorter value")
        elif name != "unsubscribed":
            continue
        if name in rule.creation_only and not (name == "language" and _names_a_language(event)):
            initial[name] = value
        else:
            values[name] = value
    dropped = _embedded(payload.get("embeddedData", {}), values)
    for name, path in rule.clear_on_null.items():
        if path(event.body) is None:
            values[name] = None
    return values, initial, dropped


def _embedded(given_data: Mapping[str, Any], values: dict[str, Value]) -> int:
    """Put embedded fields among the values; how many were left out because name or value is too long."""
    dropped = 0
    for name, given in given_data.items():
        text = given if type(given) is str else "" if given is None else as_text(given)
        if text and len(name) <= _MAX_NAME and len(text) <= _MAX_VALUE:
            values[EMBEDDED + name] = text
        elif text:
            dropped += 1
    return dropped


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
    digest = blake2b(f"{directory.id}\x1f{rule.mapping}\x1f{event.message_id}".encode(), digest_size=8).digest()
    return _UNMATCHED | int.from_bytes(digest, "big") >> 2
