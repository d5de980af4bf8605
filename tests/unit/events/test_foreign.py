"""Other systems' topics: what a source makes of their records."""

import json
from dataclasses import dataclass
from uuid import UUID

import orjson
import pytest

from processor.config import check
from processor.config.compile import rules_of
from processor.domain.decisions.directory import decide
from processor.domain.events import decode_event
from processor.errors import RejectedError

TOPIC_ID = UUID("0123456789abcdef0123456789abcdef")
DOCUMENT = """\
version: 1
sources:
  - id: shop
    topic: shop.orders
    event:
      - when: {jmespath: "status == 'paid'"}
        event:
          type: track
          event: {"@path": $.name}
          userId: {"@path": $.who}
          messageId: {"@path": $.id}
          properties: {"@path": "$."}
      - when: {jmespath: "status == 'known'"}
        event:
          type: identify
          userId: {"@path": $.who}
          messageId: {"@path": $.id}
          traits: {"@json": {mode: decode, value: {"@path": $.raw}}}
      - {when: {jmespath: "status == 'whole'"}, event: {"@path": $.inner}}
  - {id: plain, topic: plain.events}
directories: [{id: POOL_a, name: A}]
connections:
  - name: crm
    mappings:
      - {name: buy, action: upsertContactTransaction, when: always, fields: {directoryId: POOL_a}}
"""
RULES = rules_of(check(DOCUMENT), 1)


@dataclass
class Written:
    value: bytes | None
    topic: str = "shop.orders"
    headers: tuple = ()
    partition: int = 2
    offset: int = 41
    timestamp: int = 1_714_564_810_000
    key: bytes | None = None


def event(body, topic="shop.orders", **more):
    return decode_event(Written(json.dumps(body).encode(), topic, **more), TOPIC_ID, RULES.topics[topic])


def test_made():
    """The first mapping whose condition holds makes the event; the record's moment is when it was received."""
    made = event({"status": "paid", "who": 7, "id": 12, "name": "Paid"})
    assert (made.source, made.type, made.name, made.message_id) == ("shop", "track", "Paid", "shop:track:Paid:12")
    assert made.body["userId"] == "7"
    assert made.body["receivedAt"] == made.body["timestamp"] == "2024-05-01T12:00:10.000Z"
    assert made.body["properties"]["status"] == "paid"


@pytest.mark.parametrize(
    ("record", "message_id"),
    [
        ({"status": "known", "who": "u", "id": "o1"}, "shop:identify::o1"),
        ({"status": "known", "who": "u", "id": 1.0}, "shop:identify::1"),
        ({"status": "known", "who": "u"}, "shop.orders:0123456789ab:2:41"),
        ({"status": "known", "who": "u", "id": ""}, "shop.orders:0123456789ab:2:41"),
        ({"status": "paid", "who": "u", "id": "i" * 83, "name": "Pai"}, "shop:track:Pai:" + "i" * 83),
    ],
)
def test_message_ids(record, message_id):
    """Prefixed where the mapping made one, so that two events of one order differ; else the record's place."""
    assert event(record).message_id == message_id


def test_long_message_ids():
    """Over 99 characters: the source and a hash, the same for the same id and another for another."""
    ids = [
        event({"status": "paid", "who": "u", "id": id_, "name": "P"}).message_id
        for id_ in ("a" * 99, "a" * 99, "b" * 99)
    ]
    assert ids[0] == ids[1] != ids[2]
    assert all(name.startswith("shop:") and len(name) <= 99 for name in ids)


def test_events_as_they_are():
    """Without mappings a record is the event, its id its own; headers of others name no source of ours."""
    body = {"type": "track", "event": "E", "userId": "u", "messageId": "m"}
    made = event(body, "plain.events", headers=(("source", b"web"), ("received-at", b"2020-01-01T00:00:00.000Z")))
    assert (made.source, made.message_id, made.received_at_ms) == ("plain", "m", 1_714_564_810_000)


@pytest.mark.parametrize(
    ("topic", "value", "code"),
    [
        ("shop.orders", b"{", "not_json"),
        ("shop.orders", b'{"status":"paid","name":"P"}', "missing_id"),
        ("shop.orders", b'{"status":"paid","who":"u"}', "missing_event"),
        ("shop.orders", b'{"status":"paid","who":"u","name":"P","id":[1]}', "bad_id"),
        ("shop.orders", b'{"status":"paid","who":"u","name":"P","id":1e30}', "bad_number"),
        ("shop.orders", b'{"status":"whole","inner":5}', "not_an_event"),
        ("shop.orders", b'{"status":"whole"}', "not_an_event"),
        ("shop.orders", b'{"status":"whole","inner":{"userId":"u"}}', "unknown_type"),
        ("shop.orders", b'{"status":"paid\\u0000"}', "bad_text"),
        ("shop.orders", b'{"status":"known","who":"u","raw":"{\\"a\\":\\"\\\\u0000\\"}"}', "bad_text"),
        ("plain.events", b'{"userId":"u"}', "not_an_event"),
        ("plain.events", b"[1]", "not_an_event"),
        ("plain.events", b'{"type":"identify"}', "missing_id"),
    ],
)
def test_no_event(topic, value, code):
    """What cannot become an event is a dead letter with the rule that it breaks, counted under its source."""
    with pytest.raises(RejectedError) as caught:
        decode_event(Written(value, topic), TOPIC_ID, RULES.topics[topic])
    assert caught.value.code == code
    outcome = decide(Written(value, topic), TOPIC_ID, RULES)
    assert (outcome.source, outcome.kind, outcome.rejections[0].code) == (RULES.topics[topic].id, "dead", code)


@pytest.mark.parametrize("value", [b'{"status":"open"}', b"[]", b"5", None])
def test_nobodys_records(value):
    """No condition holds: filtered. A record without a value: filtered too."""
    outcome = decide(Written(value), TOPIC_ID, RULES)
    assert (outcome.source, outcome.kind, outcome.reason) == (
        "shop",
        "filtered",
        "null" if value is None else "no_match",
    )


def test_the_mappings_follow():
    """A made event goes the way of every other."""
    record = Written(orjson.dumps({"status": "paid", "who": "u", "id": 1, "name": "P"}))
    outcome = decide(record, TOPIC_ID, RULES)
    assert (outcome.kind, outcome.source, outcome.effects[0].message_id) == ("applied", "shop", "shop:track:P:1")
