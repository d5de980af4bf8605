"""The tracking API, through real HTTP and a publisher made of lists."""

import asyncio
import base64
import contextlib
import gzip
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.ingress_rig import BASIC, GOOD, Rig, revision, told

from ingress.app import CALLS, build_app
from ingress.credentials import Credentials, UnknownKeyError
from processor.adapters.memory.publisher import MemoryPublisher
from processor.settings import Settings


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("type_", CALLS)
async def test_calls(rig: Rig, type_: str, slash: str) -> None:
    """Each of the six calls is acknowledged, with a slash too, and its path says the type."""
    body = {"userId": "u", "previousId": "p", "groupId": "g", "event": "E", "messageId": "m"}
    await told(await rig.post(f"/v1/{type_}{slash}", body), 200)
    assert rig.events[0]["type"] == type_
    record = rig.publisher.records["segment.events"][0]
    assert record.key == b"u"
    assert dict(record.headers) == {"source": b"web", "received-at": b"2024-05-01T12:00:10.000Z"}


async def test_batch(rig: Rig) -> None:
    """Items become events in their order, with the envelope's context and a name for each."""
    items = [
        GOOD,
        {"type": "identify", "anonymousId": "a"},
        {"type": "page", "anonymousId": "a", "timestamp": "2024-05-01"},
    ]
    body = {"batch": items, "context": {"a": 1}, "sentAt": "2024-05-01T12:00:10Z", "writeKey": "wk_secret"}
    await told(await rig.post("/v1/batch", body, {}), 200)
    await told(await rig.post("/v1/batch/", body, {}), 200)
    assert [event["type"] for event in rig.events[:3]] == ["track", "identify", "page"]
    assert all(event["context"] == {"a": 1} for event in rig.events)
    assert rig.events[2]["messageId"] == rig.events[5]["messageId"], "a stamped item is named after its bytes"
    assert rig.events[1]["messageId"] != rig.events[4]["messageId"]
    assert b"wk_secret" not in b"".join(record.value for record in rig.publisher.records["segment.events"])


async def test_empty_batch(rig: Rig) -> None:
    """Nothing sent, nothing written, success."""
    await told(await rig.post("/v1/batch", {"batch": []}), 200)
    assert rig.events == []


@pytest.mark.parametrize(
    ("headers", "key", "status"),
    [
        (BASIC, None, 200),
        ({"Authorization": "basic " + base64.b64encode(b"wk_secret").decode()}, None, 200),
        ({"Authorization": "Basic " + base64.b64encode(b"wk_secret:password").decode()}, None, 200),
        ({"Authorization": "Bearer anything"}, "wk_secret", 200),
        ({}, "wk_secret", 200),
        ({"Content-Type": "text/plain"}, "wk_secret", 200),
        ({}, None, 401),
        ({}, "wrong", 401),
        ({}, 7, 401),
        ({}, "\ud800", 401),
        ({"Authorization": "Basic " + base64.b64encode(b"wrong:").decode()}, "wk_secret", 401),
        ({"Authorization": "Basic ???"}, None, 401),
        ({"Authorization": "Basic /w=="}, None, 401),
        ({"Authorization": "Bearer wk_secret"}, None, 401),
    ],
)
async def test_credentials(rig: Rig, headers: dict[str, str], key: Any, status: int) -> None:
    """The write key is the Basic user or in the body; an unknown one is 401 and nothing is kept."""
    body = {**GOOD, "writeKey": key}
    await told(await rig.post("/v1/track", body, headers), status, "unknown_write_key" if status == 401 else None)
    assert len(rig.events) == (status == 200)
    assert rig.rejected == []


async def test_another_revision(rig: Rig) -> None:
    """A key counts from the revision that brings it, beside the old one, until the one that drops it."""
    rig.current = revision("wk_secret", "wk_next")
    await told(await rig.post("/v1/track", {**GOOD, "writeKey": "wk_next"}, {}), 200)
    await told(await rig.post("/v1/track", {**GOOD, "writeKey": "wk_secret"}, {}), 200)
    rig.current = revision("wk_next")
    await told(await rig.post("/v1/track", {**GOOD, "writeKey": "wk_secret"}, {}), 401, "unknown_write_key")


DEEP = b'{"userId":"u","event":"E","properties":{"a":' + b"[" * 100 + b"]" * 100 + b"}}"
BAD = [
    (b"{", "not_json"),
    (b"", "not_json"),
    (b"\xff", "not_json"),
    (b'{"a":NaN}', "not_json"),
    (b"7", "not_an_object"),
    (b"[]", "not_an_object"),
    (b'{"event":"E"}', "missing_id"),
    (b'{"userId":"u"}', "missing_event"),
    (b'{"userId":"u","event":7}', "missing_event"),
    (b'{"userId":"u","event":"E","properties":7}', "bad_object"),
    (b'{"userId":"u","event":"E","messageId":"' + b"m" * 9_000 + b'"}', "bad_message_id"),
    (b'{"userId":"' + b"u" * 513 + b'","event":"E"}', "bad_id"),
    (b'{"userId":true,"event":"E"}', "bad_id"),
    (b'{"userId":123456789012345678901234567890,"event":"E"}', "bad_number"),
    (b'{"userId":"u","event":"E","properties":{"n":1e400}}', "bad_number"),
    (b'{"userId":"u","event":"E","properties":{"n":' + b"9" * 400 + b"}}", "bad_number"),
    (b'{"userId":"u","event":"E","properties":{"a":"\\u0000"}}', "bad_text"),
    (b'{"userId":"\\ud800","event":"E"}', "bad_text"),
    (b'{"userId":"u","event":"E","properties":{"a":"\\udc00x"}}', "bad_text"),
    (DEEP, "too_deep"),
    (b"[" * 10_000 + b"]" * 10_000, "too_deep"),
    (b'{"userId":"u","event":"E","properties":{"a":"' + b"x" * 33_000 + b'"}}', "too_large"),
]


@pytest.mark.parametrize(("body", "code"), BAD, ids=[f"{code} {body[:24]!r}" for body, code in BAD])
async def test_bad_calls(rig: Rig, body: bytes, code: str) -> None:
    """A bad call is answered 400 with its code, and its bytes are kept; the next one passes."""
    await told(await rig.post("/v1/track", body), 400, code)
    assert rig.codes() == [code]
    headers = dict(rig.rejected[0].headers)
    assert rig.rejected[0].value == body[: 32 * 1024]
    assert (headers["source"], headers["index"], rig.rejected[0].key) == (b"web", b"0", b"web")
    assert headers["message"]
    await told(await rig.post("/v1/track", GOOD), 200)


async def test_bad_bodies_of_strangers(rig: Rig) -> None:
    """Without Basic, what cannot be read has no source: 401, or 400 for the size, and nothing is kept."""
    await told(await rig.post("/v1/track", b"{", {}), 401, "unknown_write_key")
    await told(await rig.post("/v1/track", b"x" * 40_000, {}), 400, "too_large")
    assert rig.publisher.records["segment.rejected"] == []


ITEMS = [
    (b"7", "not_an_object"),
    (b"null", "not_an_object"),
    (b'{"type":"dance","userId":"u"}', "unknown_type"),
    (b'{"type":"track","userId":"u" }', "missing_event"),
    (b'{"type":"identify","userId":"\\ud800"}', "bad_text"),
    (b'{"type":"identify","userId":"u","traits":{"a":"\\u0000,]}"}}', "bad_text"),
    (b'{"type":"identify","userId":"u","traits":{"a":' + b"[" * 300 + b"]" * 300 + b"}}", "too_deep"),
    (b'{"type":"identify","userId":"u","traits":{"a":1e999}}', "bad_number"),
    (b'{"type":"identify","userId":"u","traits":{"a":"' + b"x" * 33_000 + b'"}}', "too_large"),
]


@pytest.mark.parametrize(("item", "code"), ITEMS, ids=[f"{code} {item[:20]!r}" for item, code in ITEMS])
async def test_bad_items(rig: Rig, item: bytes, code: str) -> None:
    """A bad item never fails its batch: its own bytes go to segment.rejected, the others pass."""
    good = orjson.dumps(GOOD)
    body = b'{"x":{"batch":[1]}, "batch" : [ ' + good + b" , " + item + b"," + good + b" ] }"
    await told(await rig.post("/v1/batch", body), 200)
    assert len(rig.events) == 2
    assert rig.codes() == [code]
    assert rig.rejected[0].value == item
    assert dict(rig.rejected[0].headers)["index"] == b"1"


async def test_no_batch(rig: Rig) -> None:
    """A body that is no batch is kept and answered 400."""
    for body in ({"batch": 7}, [GOOD], {}):
        await told(await rig.post("/v1/batch", body), 400, "not_a_batch")
    assert rig.codes() == ["not_a_batch"] * 3


async def test_too_large_batch(rig: Rig) -> None:
    """A batch of 512,000 bytes passes, one byte more is 400."""
    frame = len(orjson.dumps({"batch": [GOOD], "pad": ""}))
    for more, status in ((0, 200), (1, 400)):
        body = orjson.dumps({"batch": [GOOD], "pad": "x" * (512_000 - frame + more)})
        await told(await rig.post("/v1/batch", body), status, "too_large" if more else None)


async def test_too_many(rig: Rig) -> None:
    """Of 2,501 events the first 2,500 pass, the others are kept as rejected."""
    items = [{"type": "page", "userId": str(n)} for n in range(2_503)]
    await told(await rig.post("/v1/batch", {"batch": items}), 200)
    assert len(rig.events) == 2_500
    assert rig.codes() == ["too_many"] * 3
    assert orjson.loads(rig.rejected[2].value)["userId"] == "2502"


async def test_far_too_many(rig: Rig) -> None:
    """A hundred thousand tiny items stay bounded work: what is left comes in one piece."""
    await told(await rig.post("/v1/batch", b'{"batch":[' + b",".join([b"1"] * 100_000) + b"]}"), 200)
    assert len(rig.rejected) == 5_001
    assert rig.rejected[-1].value.startswith(b"[1,1")


async def test_growing_context(rig: Rig) -> None:
    """A context that would make every event large is refused item by item, not multiplied."""
    body = {"batch": [{"type": "page", "userId": "u"}] * 2_000, "context": {"a": "x" * 30_000}}
    await told(await rig.post("/v1/batch", body), 200)
    assert sum(len(record.value) for record in rig.publisher.records["segment.events"]) <= 16 * 1024 * 1024
    assert set(rig.codes()) == {"too_large"}
    assert len(rig.events) + len(rig.rejected) == 2_000


async def test_write_key_is_never_kept(rig: Rig) -> None:
    """What is kept of a bad call holds stars where the write key was, in the same length."""
    raw = b'{"writeKey" : "wk_secret", "event":"wk_secret", "x":{"writeKey":"other"}}'
    await told(await rig.post("/v1/track", raw, {}), 400, "missing_id")
    await told(await rig.post("/v1/track", b'{"writeKey":"wk_sec'), 400, "not_json")
    assert [len(record.value) for record in rig.rejected] == [len(raw), 19]
    assert b"wk_sec" not in b"".join(record.value for record in rig.rejected)
    assert b"other" not in rig.rejected[0].value


async def test_gzip(rig: Rig) -> None:
    """Inflated bodies pass, with the limit on what they inflate to; what is no gzip is 400."""
    headers = {**BASIC, "Content-Encoding": "gzip"}
    await told(await rig.post("/v1/track", gzip.compress(orjson.dumps(GOOD)), headers), 200)
    await told(await rig.post("/v1/batch", gzip.compress(b" " * 20_000_000), headers), 400, "too_large")
    broken = await rig.post("/v1/track", b"no gzip at all", headers)
    assert broken.headers["Connection"] == "close"
    await told(broken, 400, "bad_encoding")
    await told(await rig.post("/v1/track", GOOD), 200)


async def test_chunked(rig: Rig) -> None:
    """A body without a length is read as it comes."""

    async def chunks() -> AsyncIterator[bytes]:
        for byte in orjson.dumps(GOOD):
            yield bytes([byte])

    response = await rig.client.post("/v1/track", data=chunks(), headers=BASIC)
    await told(response, 200)


async def test_traceparent(rig: Rig) -> None:
    """A valid traceparent goes on as a header, another does not."""
    valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    await rig.post("/v1/track", GOOD, {**BASIC, "traceparent": valid})
    await rig.post("/v1/track", GOOD, {**BASIC, "traceparent": valid.replace("4", "x")})
    first, second = rig.publisher.records["segment.events"]
    assert dict(first.headers)["traceparent"] == valid.encode()
    assert "traceparent" not in dict(second.headers)


async def test_kafka_away(rig: Rig) -> None:
    """Without an ack the answer is 503 with an integer Retry-After, for bad calls too; then it works again."""
    rig.publisher.away = True
    for path, body in (("/v1/track", GOOD), ("/v1/batch", {"batch": [GOOD]}), ("/v1/track", {})):
        response = await rig.post(path, body)
        await told(response, 503, "kafka_away")
        assert response.headers["Retry-After"] == "1"
    rig.publisher.away = False
    await told(await rig.post("/v1/track", GOOD), 200)


async def test_bytes_in_flight() -> None:
    """Above the cap of bytes on their way: 503 at once; afterwards everything is given back."""
    publisher = MemoryPublisher(ack_after_s=0.3)
    made = Rig(None, publisher)
    app = build_app(publisher, made, Settings(max_in_flight_bytes=1_048_576))
    async with TestClient(TestServer(app)) as client:
        made.client = client
        body = {"batch": [GOOD], "pad": "x" * 400_000}
        answers = await asyncio.gather(*(made.post("/v1/batch", body) for _ in range(4)))
        assert sorted(answer.status for answer in answers) == [200, 200, 503, 503]
        assert (await made.post("/v1/batch", body)).status == 200


async def test_unforeseen(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    """A fault of ours is 500 without details, and the log says which."""

    async def broken(_topic: str, _records: object) -> None:
        raise KeyError("secret detail")

    rig.publisher.publish = broken  # type: ignore[method-assign,assignment]
    body = await told(await rig.post("/v1/track", GOOD), 500, "internal_error")
    assert "secret" not in json.dumps(body)
    assert "request_failed" in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/track", 405), ("PUT", "/v1/batch/", 405), ("POST", "/v1/x", 404), ("GET", "/", 404)],
)
async def test_other_paths(rig: Rig, method: str, path: str, status: int) -> None:
    """An unknown path is 404, a known one by another method 405, both as JSON."""
    response = await rig.client.request(method, path)
    await told(response, status, "not_found" if status == 404 else "method_not_allowed")


async def test_any_body() -> None:
    """Whatever bytes come, the answer is JSON with a status that an SDK knows what to do with."""
    made = Rig(None, MemoryPublisher())
    json_like = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["batch", "type", "userId", "event", "messageId", "context", "sentAt"]), inner
            )
        ),
        max_leaves=12,
    )
    bodies = st.binary(max_size=300) | json_like.map(lambda value: json.dumps(value).encode())
    loop = asyncio.get_running_loop()

    async with TestClient(TestServer(build_app(made.publisher, made, Settings()))) as client:
        made.client = client

        async def ask(path: str, body: bytes, basic: bool) -> None:
            response = await made.post(path, body, BASIC if basic else {})
            assert response.status in {200, 400, 401, 503}
            assert orjson.loads(await response.read())["success"] is (response.status == 200)

        @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(st.sampled_from(["/v1/batch", "/v1/track", "/v1/alias"]), bodies, st.booleans())
        def check(path: str, body: bytes, basic: bool) -> None:
            asyncio.run_coroutine_threadsafe(ask(path, body, basic), loop).result(20)

        await asyncio.to_thread(check)


async def test_strangers_are_told_alike(rig: Rig) -> None:
    """Whatever is wrong with a key, in whichever place, the answer is the same to the byte."""
    bodies = [
        await (await rig.post("/v1/track", {**GOOD, **more}, headers)).read()
        for more, headers in (
            ({}, {}),
            ({"writeKey": ""}, {}),
            ({"writeKey": "wk_secre"}, {}),
            ({"writeKey": "wk_secret2"}, {}),
            ({"writeKey": ["wk_secret"]}, {}),
            ({"writeKey": "wrong"}, {"Authorization": "Bearer wk_secret"}),
            ({"writeKey": "wk_secret"}, {"Authorization": "Basic !!!"}),
            ({}, {"Authorization": "Basic " + base64.b64encode(b"wk_secre:t").decode()}),
        )
    ]
    assert len(set(bodies)) == 1
    assert b"wk_" not in bodies[0].replace(b"unknown_write_key", b"")
    assert rig.rejected == []


def test_a_key_is_not_found_letter_by_letter() -> None:
    """Refusing a key takes no longer the more of it is right."""
    key = "wk_" + "s" * 200
    credentials = Credentials(Rig(None, MemoryPublisher(), revision(key)))

    def seconds(wrong: str) -> float:
        began = time.perf_counter()
        for _ in range(2_000):
            with contextlib.suppress(UnknownKeyError):
                credentials.by_key(wrong)
        return time.perf_counter() - began

    far, near = "x" + key[1:], key[:-1] + "x"
    rounds = [(seconds(far), seconds(near)) for _ in range(9)]
    assert min(near for _, near in rounds) < 1.3 * min(far for far, _ in rounds)
