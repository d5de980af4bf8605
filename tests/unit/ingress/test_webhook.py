"""Segment's webhook: who is let in, what becomes of its events, and that nobody can add to them."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator

import orjson
import pytest
from support.intake_rig import MARKS, IntakeRig, basic, signature

from ingress.webhook import MAX_ELEMENT_BYTES, MAX_ELEMENTS
from processor.domain.events import decode_event

PATH = "/webhooks/segment/web"
TOKEN = {"X-Isthmus-Batch-Token": "batch token"}
EVENT = {
    "type": "track",
    "event": "Bought",
    "messageId": "m1",
    "userId": "u1",
    "timestamp": "2024-05-01T08:00:00.100Z",
    "originalTimestamp": "2024-05-01T08:00:00.000Z",
    "sentAt": "2024-05-01T08:00:01.000Z",
    "receivedAt": "2024-05-01T08:00:01.100Z",
    "context": {"ip": "10.0.0.1"},
    "properties": {"total": 1.0},
    "version": "1.1",
}


@pytest.fixture
async def rig() -> AsyncIterator[IntakeRig]:
    async with IntakeRig() as made:
        yield made


async def test_signed(rig: IntakeRig) -> None:
    """The raw bytes are what was signed, however they are spelled; both secrets are good while one is rotated."""
    for body in (orjson.dumps(EVENT), b' {"type":"identify", "userId":"\\u00e9", "n":1e21, "messageId":"m2"}\n'):
        for secret in ("signing secret", "new secret"):
            assert await rig.post(PATH, body, signature(body, secret)) == (200, {"success": True})
    assert [event["messageId"] for event in rig.events] == ["m1", "m1", "m2", "m2"]
    assert rig.headers("segment.events")[0] == {"source": "web", "received-at": "2024-05-01T12:00:10.000Z"}
    assert rig.publisher.records["segment.events"][0].key == b"u1"


async def test_times_stand(rig: IntakeRig) -> None:
    """Segment has corrected the client's clock hours ago: correcting it again would move the event by the delay."""
    body = orjson.dumps(EVENT)
    await rig.post(PATH, body, signature(body))
    assert {name: rig.events[0][name] for name in EVENT} == EVENT


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (PATH, {}),
        (PATH, {"X-Signature": ""}),
        (PATH, {"X-Signature": "0" * 40}),
        (PATH, signature(b"other bytes")),
        (PATH, signature(orjson.dumps(EVENT), "guessed")),
        (PATH, basic("wk_web")),
        (PATH, {"X-Signature": "ü" * 40}),
        ("/webhooks/segment/unset", signature(orjson.dumps(EVENT), "")),
        ("/webhooks/segment/unset", basic("wk_unset")),
        ("/webhooks/segment/nobody", signature(orjson.dumps(EVENT))),
        ("/webhooks/segment/nobody", basic("wk_plain")),
        ("/webhooks/segment/plain", {}),
        ("/webhooks/segment/plain", basic("wk_web")),
        ("/webhooks/segment/plain", basic("nobody's")),
        ("/webhooks/segment/plain", {"Authorization": "Basic ?"}),
        ("/webhooks/segment/plain", signature(orjson.dumps(EVENT))),
    ],
)
async def test_strangers(rig: IntakeRig, path: str, headers: dict[str, str]) -> None:
    """One answer, whatever is missing or wrong, and nothing is kept: no bytes of a stranger become a dead letter."""
    status, answer = await rig.post(path, EVENT, headers)
    assert (status, answer["code"], answer["success"]) == (401, "unauthorized", False)
    assert answer["message"] == answer["error"]
    assert rig.publisher.records["segment.events"] == rig.publisher.records["segment.rejected"] == []


async def test_without_a_signing_secret(rig: IntakeRig) -> None:
    """The caller shows the write key as Basic user, which is then in no stored byte."""
    status, _ = await rig.post("/webhooks/segment/plain/", {**EVENT, "writeKey": "wk_plain"}, basic("wk_plain"))
    assert status == 200
    assert "writeKey" not in rig.events[0]
    status, _ = await rig.post("/webhooks/segment/plain", {"writeKey": "wk_plain"}, basic("wk_plain"))
    assert status == 400
    assert b"wk_plain" not in rig.rejected[0][1]


async def test_array(rig: IntakeRig) -> None:
    """Segment signs the first element's bytes; a bad element is kept with its bytes and never fails the others."""
    first = b'{"type":"identify","userId":"u","messageId":"a","traits":{"n":1.0}}'
    body = b"[ " + first + b' ,{"type":"nonsense","userId":"u"},5,{"type":"delete","userId":"u","messageId":"c"} ]'
    assert await rig.post(PATH, body, {**signature(first), **TOKEN}) == (200, {"success": True})
    assert [event["messageId"] for event in rig.events] == ["a", "c"]
    assert rig.rejected == [("unknown_type", b'{"type":"nonsense","userId":"u"}'), ("not_an_object", b"5")]
    assert [headers["index"] for headers in rig.headers("segment.rejected")] == ["1", "2"]


@pytest.mark.parametrize("token", [None, "", "other token", "batch toke"])
async def test_a_captured_event_cannot_be_wrapped(rig: IntakeRig, token: str | None) -> None:
    """Whoever saw one signed event could put forged ones behind it: without the second secret no array is taken."""
    first = orjson.dumps(EVENT)
    body = b"[" + first + b',{"type":"identify","userId":"victim","messageId":"forged"}]'
    shown = {} if token is None else {"X-Isthmus-Batch-Token": token}
    status, answer = await rig.post(PATH, body, {**signature(first), **shown})
    assert (status, answer["code"]) == (401, "batch_token")
    single = {**signature(first), "X-Isthmus-Batch-Token": ""}
    assert (await rig.post("/webhooks/segment/single", body, single))[0] == 401, "no secret is set, so none is right"
    assert rig.events == []


@pytest.mark.parametrize("body", [b"", b"[]", b"[ ]", b"[", b"[,]"])
async def test_nothing_signed(rig: IntakeRig, body: bytes) -> None:
    """An empty body, or an array without a first element, cannot be signed."""
    assert (await rig.post(PATH, body, {**signature(b""), **TOKEN}))[0] == 401
    assert rig.rejected == []


async def test_arrays_of_the_write_key(rig: IntakeRig) -> None:
    """The second secret is needed there too; with it an empty array is no fault."""
    assert (await rig.post("/webhooks/segment/plain", [EVENT], basic("wk_plain")))[0] == 401
    shown = {**basic("wk_tokened"), "X-Isthmus-Batch-Token": "other token"}
    assert (await rig.post("/webhooks/segment/tokened", [], shown))[0] == 200
    assert (await rig.post("/webhooks/segment/tokened", [EVENT], shown))[0] == 200
    assert len(rig.events) == 1


async def test_names(rig: IntakeRig) -> None:
    """Without a messageId: after the bytes where there is a timestamp, wherever in an array; else a new one."""
    stamped = b'{"type":"page","userId":"u","timestamp":"2024-05-01T10:00:00Z"}'
    bare = b'{"type":"page","userId":"u"}'
    for body, signed in (
        (stamped, stamped),
        (b"[" + bare + b"," + stamped + b"]", bare),
        (b"[" + stamped + b"]", stamped),
        (bare, bare),
    ):
        assert (await rig.post(PATH, body, {**signature(signed), **TOKEN}))[0] == 200
    names = [event["messageId"] for event in rig.events]
    assert names[0] == names[2] == names[3]
    assert len(set(names)) == 3


async def test_mapped_bodies(rig: IntakeRig) -> None:
    """Any JSON object may come; what is no event is refused and kept, 400, for Segment sends it no more."""
    for body in (b'{"email":"a@b.c"}', b"{}", b"5", b"nothing", b'{"type":"track","userId":"u"'):
        status, answer = await rig.post(PATH, body, signature(body))
        assert (status, answer["success"]) == (400, False)
    assert len(rig.rejected) == 5
    assert rig.rejected[0] == ("unknown_type", b'{"email":"a@b.c"}')


async def test_too_large() -> None:
    """Over the setting: 413, told by the length or found while reading; one event over its own limit: refused."""
    async with IntakeRig(webhook_max_body_bytes=100_000) as rig:
        body = orjson.dumps({**EVENT, "properties": {"x": "a" * 100_000}})
        status, answer = await rig.post(PATH, body, signature(body))
        assert (status, answer["code"]) == (413, "too_large")
        packed = gzip.compress(body)
        status, answer = await rig.post(PATH, packed, {**signature(body), "Content-Encoding": "gzip"})
        assert (status, answer["code"]) == (413, "too_large")
        body = orjson.dumps({**EVENT, "properties": {"x": "a" * MAX_ELEMENT_BYTES}})
        status, answer = await rig.post(PATH, body, signature(body))
        assert (status, answer["code"], len(rig.rejected)) == (400, "too_large", 1)
        status, answer = await rig.post(PATH, b"no gzip", {**signature(body), "Content-Encoding": "gzip"})
        assert (status, answer["code"], len(rig.rejected)) == (400, "bad_encoding", 1)


async def test_many_elements(rig: IntakeRig) -> None:
    """All that Segment puts into one array; what is beyond stays as one dead letter."""
    elements = [b'{"type":"page","userId":"u","messageId":"%d"}' % n for n in range(MAX_ELEMENTS + 3)]
    assert (await rig.post(PATH, b"[" + b",".join(elements) + b"]", {**signature(elements[0]), **TOKEN}))[0] == 200
    assert len(rig.events) == MAX_ELEMENTS
    (kept,) = rig.rejected
    assert kept == ("too_many", b"[" + b",".join(elements[MAX_ELEMENTS:]) + b"]")


async def test_large_arrays_come_in_parts(rig: IntakeRig) -> None:
    """Many megabytes are read some at a time: nothing is lost where they are cut, and others are answered between."""
    elements = [
        orjson.dumps({"type": "page", "userId": "u", "messageId": str(n), "properties": {"x": "é" * 3_000}})
        for n in range(500)
    ]
    assert (await rig.post(PATH, b"[" + b",".join(elements) + b"]", {**signature(elements[0]), **TOKEN}))[0] == 200
    assert [event["messageId"] for event in rig.events] == [str(n) for n in range(500)]


async def test_kafka_away_or_slow() -> None:
    """503, never 501: Segment repeats it; and within the time that its webhook waits, however many writes there are."""
    async with IntakeRig(produce_timeout_s=0.3) as rig:
        body = orjson.dumps(EVENT)
        rig.publisher.away = True
        assert (await rig.post(PATH, body, signature(body)))[0] == 503
        rig.publisher.away = False
        rig.publisher.ack_after_s = 0.2
        assert (await rig.post(PATH, body, signature(body)))[0] == 200
        elements = [orjson.dumps({**EVENT, "properties": {"x": "a" * 30_000}}) for _ in range(60)]
        large = b"[" + b",".join(elements) + b"]"
        started = time.monotonic()
        status, answer = await rig.post(PATH, large, {**signature(elements[0]), **TOKEN})
        assert (status, answer["code"]) == (503, "kafka_timeout")
        assert time.monotonic() - started < 1.5
        await asyncio.sleep(0.3)


async def test_other_methods(rig: IntakeRig) -> None:
    """405 in JSON, and 404 beside it."""
    for method, path, status in (("GET", PATH, 405), ("PATCH", "/v1/results", 405), ("GET", "/webhooks/x", 404)):
        async with rig.client.request(method, path) as response:
            assert (response.status, (await response.json())["success"]) == (status, False)


async def test_marks_are_counted(rig: IntakeRig) -> None:
    """Ingress only counts what is ours and comes back; it takes it all the same."""
    forged = MARKS.make("nps", 1) | {"hops": 0}
    for mark in (MARKS.make("nps", 1), MARKS.make("nps", 3), forged):
        body = orjson.dumps({**EVENT, "context": {"isthmus": mark}})
        assert (await rig.post(PATH, body, signature(body)))[0] == 200
        await rig.post("/v1/track", {**EVENT, "context": {"isthmus": mark}}, basic("wk_plain"))
        await rig.post("/v1/batch", {"batch": [EVENT], "context": {"isthmus": mark}}, basic("wk_plain"))
    assert len(rig.events) == 9
    assert rig.noted() == {
        ("web", "mark_own"): 1, ("web", "mark_hops"): 1, ("web", "mark_forged"): 1,
        ("plain", "mark_own"): 2, ("plain", "mark_hops"): 2, ("plain", "mark_forged"): 2,
    }  # fmt: skip


async def test_services_read_what_was_written(rig: IntakeRig) -> None:
    """The record is one of ours to every service, its moment of reception that of this delivery."""
    body = orjson.dumps(EVENT)
    await rig.post(PATH, body, signature(body))
    record = rig.publisher.records["segment.events"][0]
    read = decode_event(rig.as_record(record), None)
    assert (read.source, read.message_id, read.received_at_ms) == ("web", "m1", 1_714_564_810_000)
