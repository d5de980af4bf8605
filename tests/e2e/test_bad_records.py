"""Records that another producer wrote onto segment.events: each has its answer, and none stops a partition."""

import asyncio
import base64
import struct
import time
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka import errors as kafka
from aiokafka.record.util import calc_crc32c
from typer.testing import CliRunner

from processor.cli.app import app

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

APPLIED = ("applied", "")
NULL = ("filtered", "null")
NOISE = Random(7).randbytes(400_000)
OURS = (("source", b"web"), ("received-at", b"2026-01-01T12:00:00.000Z"))


def dead(code: str) -> tuple[str, str]:
    return ("dead", code)


@dataclass(frozen=True)
class Case:
    """A record and its answer: (class, code). ``value`` has NAME where the person's id stands."""

    name: str
    value: bytes | None
    answer: tuple[str, str]
    headers: Sequence[tuple[str, bytes | None]] = ()
    key: bytes | None = b"key"
    timestamp_ms: int | None = None
    codec: str | None = None

    @property
    def raw(self) -> bytes | None:
        return None if self.value is None else self.value.replace(b"NAME", self.name.encode())


def identify(more: bytes = b"", name: bytes = b"NAME") -> bytes:
    return b'{"type":"identify","userId":"' + name + b'"' + (b"," + more if more else b"") + b"}"


def extra(value: bytes) -> bytes:
    return identify(b'"traits":{"extra":{"a":' + value + b"}}")


def deep(levels: int) -> bytes:
    return extra(b"[" * levels + b"]" * levels)


NO_EVENTS = [
    Case("random bytes", NOISE[:3_000], dead("not_json")),
    Case("empty", b"", dead("not_json")),
    Case("half an object", b'{"type":"identify"', dead("not_json")),
    Case("NaN", extra(b"NaN"), dead("not_json")),
    Case("number", b"7", dead("not_an_event")),
    Case("text", b'"identify"', dead("not_an_event")),
    Case("JSON null", b"null", dead("not_an_event")),
    Case("array", b'[{"type":"identify"}]', dead("not_an_event")),
    Case("object without type", b'{"userId":"u"}', dead("not_an_event")),
    Case("type of another type", b'{"type":["identify"],"userId":"u"}', dead("not_an_event")),
    Case("unknown type", b'{"type":"dance","userId":"u"}', dead("unknown_type")),
    Case("nobody", b'{"type":"identify"}', dead("missing_id")),
    Case("invalid UTF-8", identify(b'"a":"\xff\xfe"'), dead("not_json")),
    Case("invalid UTF-8 with our headers", identify(b'"a":"\xff\xfe"'), dead("not_json"), OURS),
]
VALUES = [
    Case("null", None, NULL),
    Case("null with a source", None, NULL, OURS),
    Case("messageId of 9 kB", identify(b'"messageId":"' + b"m" * 9_000 + b'"'), dead("bad_message_id")),
    Case("our messageId of 9 kB", identify(b'"messageId":"' + b"m" * 9_000 + b'"'), dead("not_an_event"), OURS),
    Case("NUL", extra(rb'"\u0000"'), dead("bad_text")),
    Case("NUL in a name", identify(rb'"traits":{"a\u0000":1}'), dead("bad_text")),
    Case("escaped, no NUL", extra(rb'"\\u0000"'), APPLIED),
    Case("lone surrogate", extra(rb'"\ud800"'), dead("not_json")),
    Case("lone low surrogate", extra(rb'"\udc00x"'), dead("not_json")),
    Case("surrogate pair", extra(rb'"\ud83d\ude00"'), APPLIED),
    Case("integer beyond 64 bit", extra(b"123456789012345678901234567890"), APPLIED),
    Case("id beyond 53 bit", b'{"type":"identify","userId":123456789012345678901}', dead("bad_number")),
    Case("beyond a double", extra(b"1e400"), dead("not_json")),
    Case("duplicate keys", identify(b'"userId":"NAME"', name=b"another"), APPLIED),
    Case("nested 60 deep", deep(60), APPLIED),
    Case("nested 70 deep", deep(70), dead("too_deep")),
    Case("nested 2,000 deep", deep(2_000), dead("too_deep")),
    Case("nested 2,000 deep with our headers", deep(2_000), dead("too_deep"), OURS),
    Case("year 9999", identify(b'"timestamp":"9999-12-31T23:59:59.999Z"'), APPLIED),
    Case("year 9999, west", identify(b'"timestamp":"9999-12-31T23:59:59-23:59"'), APPLIED),
    Case("no moment", identify(b'"timestamp":"soon","sentAt":7'), APPLIED),
    Case("long e-mail", identify(b'"traits":{"email":"' + b"e" * 600 + b'"}'), dead("value_too_long")),
]
HEADERS = [
    Case("header of 400 kB", identify(), APPLIED, [("x", NOISE)]),
    Case("source of 400 kB", identify(), APPLIED, [("source", base64.b64encode(NOISE[:300_000])), OURS[1]]),
    Case("no event, source of 400 kB", b"?", dead("not_json"), [("source", base64.b64encode(NOISE[:300_000]))]),
    Case("null, source of 400 kB", None, NULL, [("source", base64.b64encode(NOISE[:300_000]))]),
    Case("source with NUL", identify(b'"messageId":"m"'), APPLIED, [("source", b"we\x00b"), OURS[1]]),
    Case("no event, source with NUL", b"?", dead("not_json"), [("source", b"we\x00b"), OURS[1]]),
    Case("our NUL", extra(rb'"\u0000"')[:-1] + b',"messageId":"n"}', dead("refused_by_database"), OURS),
    Case("our event is no text", b'{"type":"track","messageId":"m","event":{}}', dead("not_an_event"), OURS),
    Case("our traits are no object", identify(b'"messageId":"n","traits":[7]'), APPLIED, OURS),
    Case("header without value", identify(), APPLIED, [("source", None), ("x", None)]),
    Case("no event, header without value", b"?", dead("not_json"), [("source", None), ("x", None)]),
    Case("null, header without value", None, NULL, [("source", None)]),
    Case("header of invalid UTF-8", identify(), APPLIED, [("source", b"\xff"), ("received-at", b"\xfe")]),
    Case("no event, header of invalid UTF-8", b"?", dead("not_json"), [("source", b"\xff\x00")]),
    Case("key of invalid UTF-8", b"?", dead("not_json"), key=b"\xff\x00\xfe"),
    Case("without key", identify(), APPLIED, key=None),
    Case("one header a thousand times", identify(), APPLIED, [("source", b"web")] * 1_000),
]
TIMES = [
    Case("time of 1970", identify(), APPLIED, timestamp_ms=0),
    Case("negative time", identify(), APPLIED, timestamp_ms=-5),
    Case("absurd time", identify(), APPLIED, timestamp_ms=2**61),
    Case("no event at an absurd time", b"?", dead("not_json"), timestamp_ms=2**61),
    Case("very negative time", identify(), APPLIED, timestamp_ms=-(2**61)),
]
CODECS = [
    Case(f"{codec} {size}", extra(b'"' + b"x" * size + b'"'), APPLIED, codec=codec)
    for codec in ("gzip", "snappy", "lz4", "zstd")
    for size in (10, 1_000)
]
PLAIN = [Case("plain", identify(), APPLIED), Case("with a messageId", identify(b'"messageId":"m"'), APPLIED)]


@asynccontextmanager
async def producer(system: Any, codec: str | None = None) -> Any:
    made = AIOKafkaProducer(bootstrap_servers=system.bootstrap, compression_type=codec, max_request_size=2_000_000)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def write(system: Any, cases: Sequence[Case]) -> dict[tuple[int, int], Case]:
    """Each case as a batch of its own, by turns onto every partition; those that the broker itself refuses are out."""
    places: dict[tuple[int, int], Case] = {}
    for codec in dict.fromkeys(case.codec for case in cases):
        async with producer(system, codec) as sender:
            for number, case in enumerate(case for case in cases if case.codec == codec):
                try:
                    sent = await sender.send_and_wait(
                        system.events,
                        case.raw,
                        case.key,
                        partition=number % system.partitions,
                        timestamp_ms=case.timestamp_ms,
                        headers=list(case.headers),
                    )
                except kafka.InvalidTimestampError:
                    assert case.timestamp_ms is not None, case.name
                    continue
                places[sent.partition, sent.offset] = case
    return places


async def answers(system: Any, places: dict[tuple[int, int], Case]) -> dict[str, tuple[str, str]]:
    rows = await system.db.fetch('SELECT partition, "offset", code FROM dead_letters')
    letters = {(row["partition"], row["offset"]): row["code"] for row in rows}
    people = {row["ext_ref"] for row in await system.db.fetch("SELECT ext_ref FROM contacts")}
    return {
        case.name: dead(letters[place]) if place in letters else APPLIED if case.name in people else NULL
        for place, case in places.items()
    }


async def check_letters(system: Any, places: dict[tuple[int, int], Case]) -> None:
    """Every dead letter shows the bytes as they came, value and key."""
    for row in await system.db.fetch('SELECT id, partition, "offset" FROM dead_letters'):
        command = ["deadletters", "show", str(row["id"]), "--json"]
        shown = await asyncio.to_thread(CliRunner().invoke, app, command, env=system.env)
        assert shown.exit_code == 0, shown.output
        letter, case = orjson.loads(shown.stdout), places[row["partition"], row["offset"]]
        assert (unpacked(letter["value"]), unpacked(letter["key"])) == (case.raw, case.key), case.name


def unpacked(shown: Any) -> bytes | None:
    if shown is None:
        return None
    return shown["text"].encode() if "text" in shown else base64.b64decode(shown["base64"])


async def check_nothing_is_stuck(system: Any) -> None:
    """A good event on every partition is applied within seconds, and everything read is accounted for."""
    began = time.monotonic()
    async with producer(system) as sender:
        for number in range(system.partitions):
            await sender.send_and_wait(system.events, identify(name=b"good-%d" % number), partition=number)
    await system.all_read(within_s=10)
    assert time.monotonic() - began < 10
    found = await system.db.fetch("SELECT ext_ref FROM contacts WHERE ext_ref LIKE 'good-%'")
    assert len(found) == system.partitions
    ledger = await system.isthmus("ledger")
    assert set(ledger["unaccounted"].values()) == {0}


async def test_each_has_its_answer(system: Any) -> None:
    """Applied, filtered or dead with its code and raw bytes, whatever another producer wrote."""
    cases = [*NO_EVENTS, *VALUES, *HEADERS, *TIMES, *CODECS, *PLAIN]
    places = await write(system, cases)
    await system.all_read()
    assert await answers(system, places) == {case.name: case.answer for case in places.values()}
    await check_letters(system, places)
    ledger = await system.isthmus("ledger")
    rows = [row for row in ledger["records"] if row["service"] == "directory"]
    assert sum(row["filtered"]["null"] for row in rows) == sum(case.answer == NULL for case in places.values())
    assert sum(row["applied"] for row in rows) == sum(case.answer == APPLIED for case in places.values())
    await check_nothing_is_stuck(system)


async def test_what_was_applied(system: Any) -> None:
    """A name made of the place, the last of duplicate keys, a time no further ahead than five minutes."""
    event = b'{"type":"track","event":"Transaction Created","userId":"first","userId":"last","properties":'
    async with producer(system) as sender:
        value = event + b'{"a":1,"a":2,"big":123456789012345678901234567890},"timestamp":"9999-12-31T23:59:59.999Z"}'
        sent = await sender.send_and_wait(system.events, value, partition=1)
    await system.all_read()
    row = await system.db.fetchrow(
        "SELECT t.*, c.ext_ref, c.why FROM transactions t JOIN contacts c ON c.id = t.contact"
    )
    incarnation = await system.db.fetchval("SELECT topic_id FROM progress WHERE topic = $1 LIMIT 1", system.events)
    assert row["message_id"] == f"{system.events}:{incarnation.hex[:12]}:1:{sent.offset}"
    assert (row["source"], row["ext_ref"], row["date"].year) == ("kafka", "last", 9999)
    assert orjson.loads(row["data"]) == {"a": "2", "big": "1.2345678901234568e+29"}
    stamps = [abs(writer[1]) for writer in orjson.loads(row["why"])["w"]]
    assert max(stamps) <= (time.time() + 301) * 1000


async def test_a_batch_that_cannot_be_decoded(system: Any) -> None:
    """A header's name that is no UTF-8 breaks the client library: one dead letter, and all the rest is applied.

    What the library had taken from other partitions when it broke is lost, unless it is fetched again.
    """
    wanted = {f"p{partition}-{n}" for partition in range(system.partitions) for n in range(20)}
    async with producer(system) as sender:
        with system.frozen_services():
            for name in sorted(wanted, key=lambda name: int(name[3:])):
                place = int(name[1])
                await sender.send_and_wait(system.events, identify(name=name.encode()), partition=place)
                if name == "p0-9":
                    sent = await (await sender.send_batch(undecodable(sender), system.events, partition=0))
    await system.all_read(within_s=40)
    assert {row["ext_ref"] for row in await system.db.fetch("SELECT ext_ref FROM contacts")} == wanted
    letters = await system.db.fetch('SELECT code, "offset" FROM dead_letters')
    assert [tuple(letter) for letter in letters] == [("unreadable_batch", sent.offset)]
    await check_nothing_is_stuck(system)


def undecodable(sender: AIOKafkaProducer) -> Any:
    """A batch with a valid checksum whose header's name is no UTF-8."""
    batch = sender.create_batch()
    batch.append(key=b"k", value=identify(name=b"inside"), timestamp=None, headers=[("XXXXXXXX", b"v")])
    broken = bytearray(batch._build().replace(b"XXXXXXXX", b"\xff" * 8))
    broken[17:21] = struct.pack(">I", calc_crc32c(bytes(broken[21:])))
    batch._buffer = bytes(broken)
    return batch


async def test_other_producers_on_the_rejected_topic(system: Any) -> None:
    """Whatever stands there becomes a dead letter, with the reason of its headers where that is one."""
    records: list[tuple[bytes | None, list[tuple[str, bytes | None]], str | None]] = [
        (b"no headers", [], "rejected"),
        (b"\xff\x00", [("code", b"too_deep"), ("message", b"why\x00"), ("source", b"web")], "too_deep"),
        (b"long headers", [(name, NOISE.hex().encode()[:300_000]) for name in ("code", "message-id")], "rejected"),
        (b"long message", [("code", b"bad_id"), ("message", NOISE.hex().encode()[:300_000])], "bad_id"),
        (b"no values", [("code", None), ("message", None), ("message-id", None), ("source", None)], "rejected"),
        (None, [("code", b"too_deep")], None),
    ]
    async with producer(system) as sender:
        for value, headers, _ in records:
            await sender.send_and_wait(system.rejected, value, b"k", partition=2, headers=headers)
    await system.all_read()
    rows = await system.db.fetch('SELECT code, value FROM dead_letters ORDER BY "offset"')
    assert [tuple(row) for row in rows] == [(code, value) for value, _, code in records if code]
    await check_nothing_is_stuck(system)
