"""The directory's decision: from a record of segment.events to commands, filtered, or refused."""

import itertools
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.domain.actions import ACTIONS, resolve_fields, with_fallbacks
from processor.domain.decisions import rejects
from processor.domain.decisions.directory import decide
from processor.domain.directory.command import Command
from processor.domain.directory.contact import Contact, fold
from processor.domain.directory.matching import lookup_keys
from processor.domain.events.mark import Marks
from processor.domain.events.normalise import Arrival, Envelope, normalise
from processor.domain.events.times import format_ms
from processor.domain.filters import compile_filter
from processor.domain.mappings import compile_mapping
from processor.domain.rules import Directory, Rule, Rules
from processor.domain.sources import Source

TOPIC_ID = UUID(int=7)
NOW = 1_800_000_000_000


def rule(action: str, fields: dict[str, Any], **changes: Any) -> Rule:
    resolved = with_fallbacks(ACTIONS[action], resolve_fields(ACTIONS[action], fields))
    made = Rule(
        mapping=f"crm/{action}",
        connection="crm",
        action=action,
        enabled=True,
        sources=None,
        matches=compile_filter(ACTIONS[action].trigger),
        payload=compile_mapping(resolved),
        creation_only=frozenset(("language", "unsubscribed")),
    )
    return replace(made, **changes)


CONTACT = rule("addContactToXmd", {"directoryId": "POOL_1", "embeddedData": {"@path": "$.traits.extra"}})
PURCHASE = rule("upsertContactTransaction", {"directoryId": "POOL_1", "transactionData": {"@path": "$.properties"}})
DIRECTORY = Directory("POOL_1", "One", default_mailing_list="CG_all")
RULES = Rules(3, {}, {"POOL_1": DIRECTORY}, (CONTACT, PURCHASE))


def record(event: dict[str, Any] | bytes | None, received: int = NOW) -> Any:
    value = orjson.dumps(event) if isinstance(event, dict) else event
    headers = (("source", b"web"), ("received-at", format_ms(received).encode()))
    return SimpleNamespace(
        topic="segment.events", partition=0, offset=5, timestamp=received, key=b"", value=value, headers=headers
    )


def identify(**changes: Any) -> dict[str, Any]:
    event = {
        "type": "identify",
        "userId": "u1",
        "messageId": "m1",
        "timestamp": format_ms(NOW),
        "traits": {"email": "a@x"},
    }
    return event | changes


def only(outcome: Any) -> Command:
    assert not outcome.rejections
    (command,) = outcome.effects
    return command


def test_the_index_hides_nothing_that_the_filter_lets_through() -> None:
    """A call that is no track call may hold an `event`, and a filter reads it there too."""
    named = replace(CONTACT, matches=compile_filter('event = "X"'), events=frozenset(("X",)))
    rules = Rules(3, {}, {"POOL_1": DIRECTORY}, (named,))
    assert only(decide(record(identify(event="X")), TOPIC_ID, rules)).values["extRef"] == "u1"
    assert decide(record(identify(type="track", event="Y")), TOPIC_ID, rules).kind == "filtered"


def test_identify_becomes_a_contact_with_defaults_that_count_on_creation_only() -> None:
    command = only(decide(record(identify()), TOPIC_ID, RULES))
    assert command.values == {"extRef": "u1", "email": "a@x"}
    assert command.initial == {"language": "EN", "unsubscribed": False}
    named = only(decide(record(identify(traits={"language": "DE"})), TOPIC_ID, RULES))
    assert named.values["language"] == "DE"


def test_a_transaction_s_person_is_initial_and_values_are_texts() -> None:
    event = identify(type="track", event="Transaction Created", traits=None, context={"traits": {"email": "c@x"}},
                     properties={"total": 12.5, "items": [{"sku": 1}], "gift": True, "note": None})  # fmt: skip
    command = only(decide(record(event), TOPIC_ID, RULES))
    assert command.values == {}
    assert command.initial["email"] == "c@x"
    assert command.transaction is not None
    assert command.transaction.data == {"total": "12.5", "items": '[{"sku":1}]', "gift": "true"}
    assert (command.transaction.date_ms, command.transaction.mailing_list) == (NOW, "CG_all")


def test_the_same_message_has_the_same_effect_key_and_another_mapping_has_not() -> None:
    event = identify(type="track", event="Transaction Created")
    other = rule("upsertContactTransaction", {"directoryId": "POOL_1"}, mapping="crm/other")
    keys = [
        only(decide(record(event, received), TOPIC_ID, replace(RULES, rules=(mapping,), _index={}))).transaction
        for received, mapping in ((NOW, PURCHASE), (NOW + 5, PURCHASE), (NOW, other))
    ]
    assert all(keys)
    first, again, elsewhere = (transaction.key for transaction in keys if transaction)
    assert first == again != elsewhere


def test_mappings_of_one_event_are_independent() -> None:
    """Three mappings of which the middle one rejects: two effects, one rejection, the record counts as dead."""
    broken = replace(CONTACT, mapping="crm/broken", payload=compile_mapping({"extRef": "x"}))
    last = replace(CONTACT, mapping="crm/last")
    outcome = decide(record(identify()), TOPIC_ID, replace(RULES, rules=(CONTACT, broken, last), _index={}))
    assert [command.mapping for command in outcome.effects] == ["crm/addContactToXmd", "crm/last"]
    assert [(r.mapping, r.code) for r in outcome.rejections] == [("crm/broken", "missing_required")]
    assert outcome.kind == "dead"


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (identify(userId=None, anonymousId="a", traits={"firstName": "Ann"}), "no_matching_key"),
        (identify(userId="u" * 513), "value_too_long"),
        (b"{", "not_json"),
        (b"[1]", "not_an_event"),
        (b'{"userId": "u1"}', "not_an_event"),
    ],
)
def test_refusals_have_codes(event: Any, code: str) -> None:
    if isinstance(event, dict) and event["userId"] is None:
        del event["userId"]
    outcome = decide(record(event), TOPIC_ID, RULES)
    assert [rejection.code for rejection in outcome.rejections] == [code]


def test_unknown_directory_and_create_unmatched() -> None:
    nowhere = replace(CONTACT, payload=compile_mapping({"directoryId": "POOL_2", "extRef": "u"}))
    outcome = decide(record(identify()), TOPIC_ID, replace(RULES, rules=(nowhere,), _index={}))
    assert outcome.rejections[0].code == "unknown_directory"
    open_ = replace(DIRECTORY, create_unmatched=True)
    event = identify(anonymousId="a", traits={"firstName": "Ann"})
    del event["userId"]
    command = only(decide(record(event), TOPIC_ID, replace(RULES, directories={"POOL_1": open_}, _index={})))
    assert command.unmatched is not None
    assert command.unmatched >> 62 == 1


def test_filtered_has_a_reason() -> None:
    assert decide(record(identify(type="page")), TOPIC_ID, RULES).reason == "no_match"
    off = replace(RULES, rules=(replace(CONTACT, enabled=False),), _index={})
    assert decide(record(identify()), TOPIC_ID, off).reason == "disabled"
    assert decide(record(None), TOPIC_ID, RULES).reason == "null"
    elsewhere = replace(RULES, rules=(replace(CONTACT, sources=frozenset(("shop",))),), _index={})
    assert decide(record(identify()), TOPIC_ID, elsewhere).kind == "filtered"


def test_embedded_fields_over_their_limits_are_dropped_never_the_contact() -> None:
    extra = {"ok": {"a": [1]}, "long": "x" * 1_025, "n" * 201: "x", "none": None, "blank": ""}
    command = only(decide(record(identify(traits={"extra": extra})), TOPIC_ID, RULES))
    assert {k: v for k, v in command.values.items() if k.startswith("embeddedData.")} == {
        "embeddedData.ok": '{"a":[1]}'
    }


def test_clear_on_null_clears_only_what_is_explicitly_null() -> None:
    clearing = replace(CONTACT, clear_on_null={"phone": compile_mapping({"@path": "$.traits.phone"})})
    rules = replace(RULES, rules=(clearing,), _index={})
    assert only(decide(record(identify(traits={"phone": None})), TOPIC_ID, rules)).values["phone"] is None
    assert "phone" not in only(decide(record(identify(traits={})), TOPIC_ID, rules)).values


def test_the_stamp_uses_the_client_s_own_time_while_clocks_agree_and_never_lies_far_ahead() -> None:
    sent = identify(
        originalTimestamp=format_ms(NOW - 5_000), sentAt=format_ms(NOW - 100), timestamp=format_ms(NOW - 4_900)
    )
    assert only(decide(record(sent), TOPIC_ID, RULES)).at_ms == NOW - 5_000
    off = identify(
        originalTimestamp=format_ms(NOW - 5_000), sentAt=format_ms(NOW - 90_000), timestamp=format_ms(NOW + 80_000)
    )
    assert only(decide(record(off), TOPIC_ID, RULES)).at_ms == NOW + 80_000
    assert only(decide(record(identify(timestamp="2999-01-01T00:00:00Z")), TOPIC_ID, RULES)).at_ms == NOW + 300_000
    assert only(decide(record(identify(timestamp="soon")), TOPIC_ID, RULES)).at_ms == NOW


def test_a_rejected_item_becomes_a_dead_letter_with_the_reason_of_the_door() -> None:
    refused = record(b"raw")
    refused.headers = (("source", b"web"), ("code", b"too_deep"), ("message", b"nesting over 64"))
    (rejection,) = rejects.decide(refused, TOPIC_ID, RULES).rejections
    assert (rejection.code, rejection.message) == ("too_deep", "nesting over 64")
    assert rejects.decide(record(b"?"), TOPIC_ID, RULES).rejections[0].code == "rejected"
    assert rejects.decide(record(None), TOPIC_ID, RULES).reason == "null"


def people(
    events: list[dict[str, Any]], arrivals: list[tuple[int, int, int]]
) -> tuple[dict[bytes, Contact], set[bytes]]:
    """What the directory holds after these arrivals (event, sent, received), each normalised as ingress does it."""
    contacts: dict[bytes, Contact] = {}
    transactions = set()
    for number, sent, received in arrivals:
        item = orjson.loads(orjson.dumps(events[number] | {"sentAt": format_ms(sent)}))
        body = normalise(item, Envelope(), Arrival(received, format_ms(received), lambda _i, _s: "none"))
        for command in decide(record(body, received), TOPIC_ID, RULES).effects:
            (key,) = lookup_keys(DIRECTORY.merge_rules, {**command.initial, **command.values})
            contacts[key], _ = fold(contacts.get(key, Contact()), command)
            if command.transaction is not None:
                transactions.add(command.transaction.key)
    return contacts, transactions


EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["identify", "track"]),
            "userId": st.sampled_from(["u1", "u2"]),
            "timestamp": st.integers(0, 4).map(lambda step: format_ms(NOW + step * 7_000)),
        },
        optional={
            "traits": st.dictionaries(
                st.sampled_from(["email", "phone", "language", "firstName"]),
                st.sampled_from(["a", "b", ""]),
                max_size=3,
            ),
            "context": st.just({"traits": {"email": "ctx@x"}}),
        },
    ),
    min_size=1,
    max_size=6,
)


@settings(deadline=None)
@given(EVENTS, st.data())
def test_any_order_and_any_repetition_of_real_repeats_gives_the_same_contacts(
    events: list[dict[str, Any]], data: Any
) -> None:
    """A repeat has another sentAt and arrives at another time; within a minute of skew the stamp does not move."""
    for number, event in enumerate(events):
        event |= {"messageId": f"m{number}", "event": "Transaction Created"}
    base = NOW + 100_000
    once = [(number, base, base + 20) for number in range(len(events))]
    copies = data.draw(
        st.permutations(
            list(itertools.chain(range(len(events)), data.draw(st.lists(st.integers(0, len(events) - 1), max_size=6))))
        )
    )
    lags = st.tuples(st.integers(0, 900_000), st.integers(0, 59_000))
    again = [(number, base + sent, base + sent + lag) for number in copies for sent, lag in [data.draw(lags)]]
    assert people(events, once) == people(events, again)


@pytest.mark.parametrize(
    ("hops", "accept_own", "reason"), [(1, False, "own"), (1, True, None), (3, False, "hops"), (3, True, "hops")]
)
def test_own_calls(hops: int, accept_own: bool, reason: str | None) -> None:
    """What this installation sent out is left alone, unless its source takes it and it goes in no circle."""
    marks = Marks("home", (b"s",))
    rules = replace(RULES, sources={"web": Source("web", accept_own)}, marks=marks)
    outcome = decide(record(identify(context={"isthmus": marks.make("nps", hops)})), TOPIC_ID, rules)
    assert (outcome.kind, outcome.reason) == (("filtered", reason) if reason else ("applied", "no_match"))


def test_a_forged_mark_is_ignored() -> None:
    """Nobody can have events dropped without the secret."""
    rules = replace(RULES, marks=Marks("home", (b"s",)))
    forged = Marks("home", (b"guessed",)).make("nps", 9)
    assert decide(record(identify(context={"isthmus": forged})), TOPIC_ID, rules).kind == "applied"


def test_a_webhook_says_the_same_whenever_it_delivers() -> None:
    """Segment received the event once: two deliveries hours apart have one stamp, so they write the same."""
    body = identify(
        timestamp="2024-05-01T08:00:00.100Z",
        originalTimestamp="2024-05-01T08:00:00.000Z",
        sentAt="2024-05-01T08:00:01.000Z",
        receivedAt="2024-05-01T08:00:01.100Z",
    )
    at_once = 1_714_550_402_000
    stamps = {decide(record(body, at_once + late), TOPIC_ID, RULES).effects[0].at_ms for late in (0, 4 * 3_600_000)}
    assert stamps == {1_714_550_400_000}
