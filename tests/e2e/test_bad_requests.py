"""Requests that are wrong in every way: each has its status and code, and the next good one passes."""

import asyncio
import base64
import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from processor.cli.app import app

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

KEY = "wk_end_to_end_4711"
BASIC = {"Authorization": "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()}
GZIP = {**BASIC, "Content-Encoding": "gzip"}
OK = (200, None)


@dataclass(frozen=True)
class Case:
    """A request and its answer: (status, code). ``kept``: whether its bytes become a dead letter."""

    name: str
    path: str
    body: bytes
    answer: tuple[int, str | None]
    headers: Mapping[str, str] = field(default_factory=lambda: BASIC)
    kept: bool = True


def track(more: bytes, user: bytes = b'"userId":"u",') -> bytes:
    return b"{" + user + b'"event":"E",' + more + b"}"


def prop(value: bytes) -> bytes:
    return track(b'"properties":{"a":' + value + b"}")


def call(name: str, body: bytes, code: str, path: str = "/v1/track", **more: Any) -> Case:
    return Case(name, path, body, (400, code), **more)


UNKNOWN = (401, "unknown_write_key")
KEY_IN_BODY = b'"writeKey":"wk_wrong","userId":"u","event":"E"'
CASES = [
    call("malformed", b'{"userId":"u",', "not_json"),
    call("empty", b"", "not_json"),
    call("trailing comma", track(b'"a":1,'), "not_json"),
    call("NaN", prop(b"NaN"), "not_json"),
    call(
        "form", b"userId=u&event=E", "not_json", headers={**BASIC, "Content-Type": "application/x-www-form-urlencoded"}
    ),
    call("raw invalid UTF-8", prop(b'"\xff\xfe"'), "not_json"),
    call("raw lone surrogate", prop(b'"\xed\xa0\x80"'), "not_json"),
    call("escaped lone surrogate", prop(rb'"\ud800"'), "bad_text"),
    call("escaped low surrogate in an id", track(b'"a":1', rb'"userId":"\udc00",'), "bad_text"),
    call("NUL", prop(rb'"\u0000"'), "bad_text"),
    call("NUL in a name", track(rb'"properties":{"a\u0000":1}'), "bad_text"),
    call("scalar", b"7", "not_an_object"),
    call("text", b'"track"', "not_an_object"),
    call("null", b"null", "not_an_object"),
    call("array", b"[" + track(b'"a":1') + b"]", "not_an_object"),
    call("properties are an array", track(b'"properties":[1]'), "bad_object"),
    call("traits are text", b'{"userId":"u","traits":"x"}', "bad_object", "/v1/identify"),
    call("context is a number", track(b'"context":7'), "bad_object"),
    call("userId is an object", track(b'"a":1', b'"userId":{},'), "bad_id"),
    call("userId is long", track(b'"a":1', b'"userId":"' + b"u" * 600 + b'",'), "bad_id"),
    call("userId beyond 53 bit", track(b'"a":1', b'"userId":9007199254740993,'), "bad_number"),
    call("number beyond a double", prop(b"1e400"), "bad_number"),
    call("nobody", track(b'"a":1', b""), "missing_id"),
    call("empty id", track(b'"a":1', b'"userId":"",'), "missing_id"),
    call("no event", b'{"userId":"u"}', "missing_event"),
    call("event is a number", b'{"userId":"u","event":7}', "missing_event"),
    call("no group", b'{"userId":"member"}', "missing_group_id", "/v1/group"),
    call("no previous", b'{"userId":"new"}', "missing_previous_id", "/v1/alias"),
    call("messageId of 9 kB", track(b'"messageId":"' + b"m" * 9_000 + b'"'), "bad_message_id"),
    call("messageId is a number", track(b'"messageId":7'), "bad_message_id"),
    call("70 deep", prop(b"[" * 70 + b"]" * 70), "too_deep"),
    call("2,000 deep", prop(b"[" * 2_000 + b"]" * 2_000), "too_deep"),
    call("15,000 deep", b"[" * 15_000 + b"]" * 15_000, "too_deep"),
    call("over 32 kB", prop(b'"' + b"x" * 33_000 + b'"'), "too_large"),
    call("batch over 500 kB", b'{"batch":[],"a":"' + b"x" * 512_000 + b'"}', "too_large", "/v1/batch"),
    call("inflated batch over 500 kB", gzip.compress(b" " * 5_000_000), "too_large", "/v1/batch", headers=GZIP),
    call("no gzip", b"no gzip at all", "bad_encoding", headers=GZIP, kept=False),
    call("no batch", b'{"batch":{}}', "not_a_batch", "/v1/batch"),
    call("batch is an array", b"[]", "not_a_batch", "/v1/batch"),
    Case("unknown key in the body", "/v1/track", b"{" + KEY_IN_BODY + b"}", UNKNOWN, {}, kept=False),
    Case("unknown Basic key", "/v1/track", track(b'"a":1'), UNKNOWN, {"Authorization": "Basic d3Jvbmc6"}, kept=False),
    Case("broken Basic", "/v1/track", track(b'"a":1'), UNKNOWN, {"Authorization": "Basic ???"}, kept=False),
    Case("no key", "/v1/track", track(b'"a":1'), UNKNOWN, {}, kept=False),
    Case("a stranger's garbage", "/v1/batch", b"\xff" * 900, UNKNOWN, {}, kept=False),
    Case("a stranger's flood", "/v1/track", b"x" * 60_000, (400, "too_large"), {}, kept=False),
    Case("no such path", "/v1/dance", b"{}", (404, "not_found"), kept=False),
]
TRACK = b'"type":"track","event":"Transaction Created","userId":"%s","messageId":"%s"'
GOOD = [
    Case(
        "integer beyond 64 bit", "/v1/identify", b'{"userId":"big","traits":{"extra":{"n":123456789012345678901}}}', OK
    ),
    Case("duplicate keys", "/v1/identify", b'{"userId":"first","userId":"last","traits":{"email":"l@x.org"}}', OK),
    Case("far future", "/v1/identify", b'{"userId":"far","timestamp":"9999-12-31T23:59:59.999Z"}', OK),
    Case("far past", "/v1/identify", b'{"userId":"past","timestamp":"0001-01-01T00:00:00+14:00"}', OK),
    Case(
        "two absurd clocks",
        "/v1/identify",
        b'{"userId":"odd","timestamp":"9999-01-01T00:00:00Z","sentAt":"0001-01-01"}',
        OK,
    ),
    Case("BOM", "/v1/identify", b'\xef\xbb\xbf{"userId":"bom"}', OK),
    Case("60 deep", "/v1/identify", b'{"userId":"deep","traits":{"x":' + b"[" * 60 + b"]" * 60 + b"}}", OK),
]


async def post(system: Any, case: Case) -> tuple[int, str | None]:
    """Status and code. The body is always JSON; of an error it has ``code``, ``message`` and ``error``."""
    async with system.http.post(case.path, data=case.body, headers=dict(case.headers)) as response:
        answer = orjson.loads(await response.read())
        assert response.content_type == "application/json"
        assert answer["success"] is (response.status == 200)
        if response.status != 200:
            assert answer["message"] == answer["error"] != ""
        assert KEY not in str(answer)
        return response.status, answer.get("code")


async def check_no_key_was_kept(system: Any) -> None:
    """The write key stands in no stored byte, of no table."""
    tables = await system.db.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    for table in (row["tablename"] for row in tables if row["tablename"] != "revisions"):
        for needle in (KEY, KEY.encode().hex(), base64.b64encode(KEY.encode()).decode()[:-4]):
            found = await system.db.fetchval(f"SELECT count(*) FROM {table} t WHERE t::text LIKE $1", f"%{needle}%")
            assert found == 0, (table, needle)


async def test_each_has_its_answer(system: Any) -> None:
    """Status and code for every wrong request, what a known caller sent is kept, and a good one after each passes."""
    found, kept = {}, {}
    for case in [*CASES, *GOOD]:
        found[case.name] = await post(system, case)
        good = Case("good", "/v1/track", b'{"userId":"after","event":"E"}', OK)
        assert await post(system, good) == OK, f"after {case.name}"
    assert found == {case.name: case.answer for case in [*CASES, *GOOD]}
    await system.all_read()
    for row in await system.db.fetch("SELECT code, value FROM dead_letters WHERE code <> 'bad_encoding'"):
        kept[bytes(row["value"])] = row["code"]
    wanted = {case.body: case.answer[1] for case in CASES if case.kept and case.answer[1] != "too_large"}
    assert {body: code for body, code in kept.items() if code != "too_large"} == wanted
    cut = sorted(len(body) for body, code in kept.items() if code == "too_large")
    assert (len(cut), cut[0]) == (3, 32 * 1024), "what is too large is kept as far as it was read"
    people = {row["ext_ref"]: row for row in await system.db.fetch("SELECT ext_ref, email, embedded FROM contacts")}
    assert {"big", "last", "far", "past", "odd", "bom", "deep"} <= people.keys()
    assert "first" not in people
    assert orjson.loads(people["big"]["embedded"])["n"] == "123456789012345680000"
    assert set((await system.isthmus("ledger"))["unaccounted"].values()) == {0}
    await check_no_key_was_kept(system)


BAD_ITEMS = [
    (b"7", "not_an_object"),
    (b'{"type":"dance","userId":"u"}', "unknown_type"),
    (b'{"type":"track","userId":"u" }', "missing_event"),
    (b'{"type":"identify"}', "missing_id"),
    (rb'{"type":"identify","userId":"\ud800"}', "bad_text"),
    (rb'{"type":"identify","userId":"u","traits":{"a":"\u0000,]}"}}', "bad_text"),
    (b'{"type":"identify","userId":"u","traits":{"a":' + b"[" * 100 + b"]" * 100 + b"}}", "too_deep"),
    (b'{"type":"identify","userId":"u","traits":{"n":1e999}}', "bad_number"),
    (b'{"type":"identify","userId":"u","messageId":"' + b"m" * 9_000 + b'"}', "bad_message_id"),
    (b'{"type":"identify","userId":"u","traits":{"a":"' + b"x" * 33_000 + b'"}}', "too_large"),
    (b'{"type":"dance","writeKey":"' + KEY.encode() + b'","note":"' + KEY.encode() + b'"}', "unknown_type"),
]


async def test_bad_items_of_a_batch(system: Any) -> None:
    """The good items of a batch are applied; each bad one is a dead letter with its own bytes, without the key."""
    items = []
    for number, (item, _) in enumerate(BAD_ITEMS):
        items += [b"{" + TRACK % (b"g%d" % number, b"m%d" % number) + b"}", item]
    body = b'{"writeKey":"' + KEY.encode() + b'","batch":[' + b" , ".join(items) + b"]}"
    assert await post(system, Case("batch", "/v1/batch", body, OK, {})) == OK
    await system.all_read()
    rows = await system.db.fetch("SELECT ext_ref FROM contacts")
    assert {row["ext_ref"] for row in rows} == {f"g{number}" for number in range(len(BAD_ITEMS))}
    assert await system.db.fetchval("SELECT count(*) FROM transactions") == len(BAD_ITEMS)
    letters = []
    for row in await system.db.fetch("SELECT id FROM dead_letters ORDER BY id"):
        command = ["deadletters", "show", str(row["id"]), "--json"]
        shown = await asyncio.to_thread(CliRunner().invoke, app, command, env=system.env)
        letter = orjson.loads(shown.stdout)
        assert letter["source"] == "web"
        letters.append((letter["value"]["text"].encode(), letter["code"]))
    stars = b"*" * len(KEY)
    assert sorted(letters) == sorted((item.replace(KEY.encode(), stars), code) for item, code in BAD_ITEMS)
    await check_no_key_was_kept(system)


async def test_one_event_too_many(system: Any) -> None:
    """Of 2,501 events the first 2,500 are applied, the last is a dead letter."""
    items = [{"type": "identify", "userId": f"u{number}", "messageId": f"m{number}"} for number in range(2_501)]
    assert await post(system, Case("2,501", "/v1/batch", orjson.dumps({"batch": items}), OK)) == OK
    await system.all_read()
    assert await system.db.fetchval("SELECT count(*) FROM contacts") == 2_500
    (letter,) = await system.db.fetch("SELECT code, value FROM dead_letters")
    assert (letter["code"], orjson.loads(letter["value"])["userId"]) == ("too_many", "u2500")
    assert set((await system.isthmus("ledger"))["unaccounted"].values()) == {0}
