"""The yardstick of the directory: the blind upsert loop, everything that we add left out.

Consume in a group, parse, filter ``type = identify``, map the default fields by hand, keep the last row of a person
and batch, upsert sorted, commit the offsets. No matching, no fold, no fence: a repeat overwrites, a late event wins.

``python -m bench.loop_blind BOOTSTRAP TOPIC DSN TOTAL``
"""

import sys
from typing import Any

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer
from bench.measuring import BATCH, StopWatch, run

_TABLE = """
CREATE TABLE people (ext_ref text PRIMARY KEY, email text, phone text, first_name text, last_name text, language text,
    unsubscribed boolean, embedded jsonb, message_id text, at text)
"""
_UPSERT = """
INSERT INTO people SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
    $7::bool[], $8::jsonb[], $9::text[], $10::text[])
ON CONFLICT (ext_ref) DO UPDATE SET email = excluded.email, phone = excluded.phone, first_name = excluded.first_name,
    last_name = excluded.last_name, language = excluded.language, unsubscribed = excluded.unsubscribed,
    embedded = excluded.embedded, message_id = excluded.message_id, at = excluded.at
"""


def _row(event: dict[str, Any]) -> tuple[Any, ...]:
    traits = event.get("traits") or {}
    embedded = {"plan": traits.get("plan"), "city": (traits.get("address") or {}).get("city")}
    return (
        event["userId"],
        event.get("email") or traits.get("email"),
        traits.get("phone"),
        traits.get("firstName"),
        traits.get("lastName"),
        traits.get("language") or "EN",
        False,
        orjson.dumps(embedded).decode(),
        event["messageId"],
        event["timestamp"],
    )


async def _loop(bootstrap: str, topic: str, dsn: str, total: int) -> None:
    connection = await asyncpg.connect(dsn, server_settings={"jit": "off"})
    await connection.execute(_TABLE)
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=f"blind-{dsn.rsplit('/', 1)[1]}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    watch = StopWatch(total)
    while watch.running:
        found = await consumer.getmany(timeout_ms=250, max_records=BATCH)
        people: dict[str, tuple[Any, ...]] = {}
        count = 0
        for records in found.values():
            count += len(records)
            for record in records:
                event = orjson.loads(record.value)
                if event.get("type") == "identify":
                    people[event["userId"]] = _row(event)
        if people:
            rows = [people[name] for name in sorted(people)]
            await connection.execute(_UPSERT, *map(list, zip(*rows, strict=True)))
        if count:
            await consumer.commit()
        watch.add(count)
    watch.report(people=await connection.fetchval("SELECT count(*) FROM people"))
    await consumer.stop()
    await connection.close()


if __name__ == "__main__":
    run(_loop(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
