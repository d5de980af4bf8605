"""Mappings that reject: one of three, and all of a revision."""

from collections.abc import Callable
from typing import Any

from support.load import DOCUMENT, Load, document, mapping
from support.running import until

BATCH = 200
BUDGET = 500
REJECTING = document(traits="$.userId", properties="$.event")  # texts where objects are needed


async def test_a_revision_that_rejects_everything_pauses_the_service(
    start: Any, kafka: Any, database: str, figure: Callable[[str], None]
) -> None:
    """The service stops burying after some hundred records and goes red, ingress goes on; the next revision takes
    everything that is left."""
    isthmus = await start(kafka, database, batch_records=str(BATCH))
    ingress, directory = isthmus.keep("ingress"), isthmus.keep("directory")
    await isthmus.ready(ingress, directory)
    async with Load(isthmus).flowing() as load:
        await until(lambda: load.statuses[200] > 20, 30, "a good start")
        await isthmus.apply(REJECTING)

        async def red() -> bool:
            return await isthmus.health(directory.now) == 503

        await until(red, 30, "the service goes red")
        await until(lambda: directory.now.lines("service_paused"), 5, "it says why")
        stand = await isthmus.progress()
        count = load.statuses[200]
        await until(lambda: load.statuses[200] > count + 40, 30, "ingress goes on")
        assert await isthmus.progress() == stand, "nothing is applied while it is paused"
        assert await isthmus.health(ingress.now) == 200
        await isthmus.apply(DOCUMENT + "# again\n")
        await isthmus.ready(directory)
        await until(lambda: directory.now.lines("service_resumed"), 5, "it says so")
    await isthmus.all_applied()
    rows = await isthmus.rows("SELECT message_id, code, revision FROM dead_letters")
    buried = {row["message_id"] for row in rows}
    figure(f"{len(rows)} dead letters, {2 * len(load.acknowledged)} events")
    assert 0 < len(rows) <= BUDGET + BATCH
    assert {(row["code"], row["revision"]) for row in rows} == {("invalid_field", 2)}
    found = {row["message_id"] for row in await isthmus.rows("SELECT message_id FROM transactions")}
    assert set(load.statuses) == {200}
    assert found == load.acknowledged - buried
    await isthmus.ledger()
    assert len(directory.all) == 1


async def test_one_of_three_mappings_rejects(
    start: Any, tansu: Any, database: str, figure: Callable[[str], None]
) -> None:
    """Two effects, one dead letter, and the record counted once."""
    first = mapping("first", "Signed Up")
    middle = mapping("middle", "Signed Up", extRef='{"@literal": two}', embeddedData='{"@path": "$.userId"}')
    last = mapping("last", "Signed Up", extRef='{"@literal": three}')
    isthmus = await start(tansu, database, document(first, middle, last))
    ingress, directory = isthmus.keep("ingress"), isthmus.keep("directory")
    await isthmus.ready(ingress, directory)
    status = await Load(isthmus).send_one([{"type": "track", "event": "Signed Up", "userId": "one", "messageId": "m1"}])
    assert status == 200
    await isthmus.all_applied()
    contacts = await isthmus.rows("SELECT ext_ref FROM contacts ORDER BY id")
    assert sorted(row["ext_ref"] for row in contacts) == ["one", "three"]
    letters = await isthmus.rows("SELECT mapping, code, message_id, source FROM dead_letters")
    assert [tuple(row) for row in letters] == [("crm/middle", "invalid_field", "m1", "web")]
    (row,) = (await isthmus.ledger())["records"]
    assert (row["read"], row["dead"], row["applied"], sum(row["filtered"].values())) == (1, 1, 0, 0)
    figure("two contacts, one dead letter, read 1 = dead 1")
