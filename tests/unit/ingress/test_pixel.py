"""Events as the addresses of images: always the image, never the write key in what is kept."""

import base64
from urllib.parse import quote, urlencode

import orjson
import pytest
from support.ingress_rig import BASIC, Rig, serving

from ingress.operations import CALLS
from ingress.pixel import GIF
from processor.ports.revisions import HttpSource, Limits

ALL = {"userId": "u", "previousId": "p", "groupId": "g", "event": "E", "messageId": "m"}


def encoded(document: object) -> str:
    return base64.b64encode(orjson.dumps(document)).decode()


async def shown(rig: Rig, path: str, status: int = 200, headers: dict[str, str] | None = None) -> None:
    response = await rig.client.get(path, headers=headers or {})
    assert (response.status, response.content_type, await response.read()) == (status, "image/gif", GIF)
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("call", CALLS)
async def test_data(rig: Rig, call: str, slash: str) -> None:
    """The JSON of a call in base64, of either alphabet, with padding or without."""
    body = {**ALL, "writeKey": "wk_secret", "context": {"a": "~~~???"}}
    for data in (quote(encoded(body), safe=""), encoded(body), encoded(body).replace("+", "-").replace("/", "_")):
        await shown(rig, f"/v1/pixel/{call}{slash}?data={data.rstrip('=')}")
        await shown(rig, f"/v1/pixel/{call}{slash}?data={data}")
    assert [event["type"] for event in rig.events] == [call] * 6
    assert {event["context"]["a"] for event in rig.events} == {"~~~???"}
    assert "writeKey" not in rig.events[0]


async def test_dotted_keys(rig: Rig) -> None:
    """Keys with dots are objects in objects; the write key may be Basic too."""
    keys = {"userId": "u 1", "event": "Öffnung", "properties.mail.id": "7", "properties.plan": "a=b", "messageId": "m"}
    await shown(rig, f"/v1/pixel/track?{urlencode({**keys, 'writeKey': 'wk_secret'})}")
    await shown(rig, f"/v1/pixel/track?{urlencode(keys)}", headers=BASIC)
    first, second = rig.events
    assert first["properties"] == second["properties"] == {"mail": {"id": "7"}, "plan": "a=b"}
    assert (first["event"], first["userId"], first["messageId"]) == ("Öffnung", "u 1", "m")
    assert rig.publisher.records["segment.events"][0].key == b"u 1"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("userId=u&writeKey=wk_secret", "missing_event"),
        ("event=E&writeKey=wk_secret", "missing_id"),
        ("writeKey=wk_secret&properties=1&properties.a=2", "bad_object"),
        ("writeKey=wk_secret&properties.a=2&properties=1", "bad_object"),
        ("writeKey=wk_secret&" + "a." * 100 + "a=1", "too_deep"),
        ("writeKey=wk_secret&" + "a." * 3_000 + "a=1", "too_deep"),
        ("writeKey=wk_secret&data=%%%", "bad_encoding"),
        ("writeKey=wk_secret&data=" + base64.b64encode(b'{"writeKey":"wk_secret"').decode(), "not_json"),
        ("writeKey=wk_secret&data=" + encoded({"event": "wk_secret"}), "missing_id"),
        ("data=" + encoded({"writeKey": "wk_secret", "event": 7, "userId": "u"}), "missing_event"),
        ("writeKey=wk%5Fsecret&event=E", "missing_id"),
    ],
)
async def test_what_is_no_event(rig: Rig, query: str, code: str) -> None:
    """It is kept as rejected with its reason and answered with the image; the write key is overwritten."""
    await shown(rig, f"/v1/pixel/track?{query}")
    assert rig.codes() == [code]
    assert rig.events == []
    assert b"secret" not in rig.rejected[0].value


@pytest.mark.parametrize("query", ["", "writeKey=wrong&userId=u", "data=" + encoded(7), "data=%%%", "data="])
async def test_strangers(rig: Rig, query: str) -> None:
    """Without a known write key: the image, and nothing is kept."""
    await shown(rig, f"/v1/pixel/page?{query}")
    assert rig.events == []
    assert rig.rejected == []


async def test_kafka_away(rig: Rig) -> None:
    """503, and still the image."""
    rig.publisher.away = True
    await shown(rig, "/v1/pixel/page?userId=u&writeKey=wk_secret", 503)
    await shown(rig, "/v1/pixel/track?userId=u&writeKey=wk_secret", 503)


async def test_unforeseen(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    """A fault of ours is an image too; the log says what it was."""

    async def broken(_topic: str, _records: object) -> None:
        raise KeyError("detail")

    rig.publisher.publish = broken  # type: ignore[method-assign,assignment]
    await shown(rig, "/v1/pixel/page?userId=u&writeKey=wk_secret", 500)
    assert "request_failed" in "".join(capsys.readouterr())


async def test_over_the_limit() -> None:
    """429 with the seconds to wait, and still the image."""
    async with serving(HttpSource("web", ("wk_secret",), limits=Limits(requests_per_s=0.5))) as rig:
        await shown(rig, "/v1/pixel/page?userId=u&writeKey=wk_secret")
        response = await rig.client.get("/v1/pixel/page?userId=u&writeKey=wk_secret")
        assert (response.status, response.headers["Retry-After"], await response.read()) == (429, "2", GIF)
