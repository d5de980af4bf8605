"""Other systems' topics: read while the document names them and they are there, from where it says."""

from support.engine_rig import TOPIC, Rig

from processor.ports.log import Partition

SHOP = "shop.orders"


def put(rig, *values, partition=0, topic=SHOP):
    for value in values:
        rig.broker.append(topic, value.encode(), partition=partition)


async def test_a_topic_follows_the_document():
    """Named: read beside our own, at once. No longer named: left alone; named again, it goes on where it was."""
    rig = Rig()
    rig.broker.create(SHOP)
    put(rig, "old")
    rig.put("own")
    await rig.run_for()
    assert rig.sink.effects == ["own"]
    rig.others = {SHOP: "earliest"}
    await rig.run_for()
    put(rig, "new")
    await rig.run_for()
    assert rig.sink.effects == ["own", "old", "new"]
    rig.others = {}
    await rig.run_for()
    put(rig, "unwanted")
    rig.put("own too")
    await rig.run_for()
    assert rig.sink.effects == ["own", "old", "new", "own too"]
    rig.others = {SHOP: "earliest"}
    await rig.run_for()
    await rig.stop()
    assert rig.sink.effects[4:] == ["unwanted"]


async def test_latest():
    """What was there before the topic was named is not read, on no partition; and is in no gap of the ledger."""
    rig = Rig()
    rig.broker.create(SHOP, 2)
    put(rig, "history")
    put(rig, "more history", partition=1)
    rig.others = {SHOP: "latest"}
    await rig.run_for()
    put(rig, "new")
    put(rig, "new too", partition=1)
    await rig.run_for()
    await rig.stop()
    assert sorted(rig.sink.effects) == ["new", "new too"]
    assert rig.sink.expired == 0
    assert rig.sink.rows[Partition(SHOP, 1)].start_offset == 1


async def test_latest_is_of_the_topic_not_of_a_partition():
    """A partition that appears later is new: its first records came after the topic was named."""
    rig = Rig()
    rig.broker.create(SHOP, 1)
    put(rig, "history")
    rig.others = {SHOP: "latest"}
    await rig.run_for()
    topic = rig.broker.topics[SHOP]
    topic.partitions.append([])
    topic.begin.append(0)
    put(rig, "first of the second", partition=1)
    await rig.run_for()
    await rig.stop()
    assert rig.sink.effects == ["first of the second"]


async def test_latest_where_another_process_began():
    """Partitions are dealt to several: whoever comes second does not move where the first let the topic begin."""
    rig = Rig()
    rig.broker.create(SHOP, 2)
    rig.log.deal([Partition(TOPIC, 0), Partition(SHOP, 0)])
    rig.others = {SHOP: "latest"}
    await rig.run_for()
    put(rig, "meanwhile", partition=1)
    rig.log.deal([Partition(TOPIC, 0), Partition(SHOP, 1)])
    await rig.run_for()
    await rig.stop()
    assert rig.sink.effects == ["meanwhile"]


async def test_a_missing_topic_stops_nobody():
    """It is looked for again, the others go on; what is made after it was missed is new from its first record on."""
    rig = Rig()
    rig.others = {SHOP: "latest"}
    rig.put("a")
    await rig.run_for()
    assert rig.sink.effects == ["a"]
    assert rig.status.state == "running"
    rig.broker.create(SHOP)
    put(rig, "first")
    rig.now += 6
    await rig.run_for()
    await rig.stop()
    assert rig.sink.effects == ["a", "first"]


async def test_a_topic_that_vanishes():
    """Deleted under us and made again: the others go on, and it is read from its first record."""
    rig = Rig()
    rig.broker.create(SHOP)
    rig.others = {SHOP: "latest"}
    await rig.run_for()
    put(rig, "a")
    await rig.run_for()
    del rig.broker.topics[SHOP]
    rig.log.generation += 1
    rig.put("own")
    rig.now += 6
    await rig.run_for()
    assert rig.sink.effects == ["a", "own"]
    rig.broker.create(SHOP)
    put(rig, "again")
    rig.now += 6
    await rig.run_for()
    await rig.stop()
    assert rig.sink.effects == ["a", "own", "again"]


async def test_a_poll_from_before():
    """The document drops the topic between poll and decision: those records are nobody's, and stay unread."""
    rig = Rig()
    rig.broker.create(SHOP)
    rig.others = {SHOP: "earliest"}
    put(rig, "late")
    rig.put("own")
    batch = await anext(rig.source.batches(rig.pause))
    assert len(batch.records) == 2
    rig.others = {}
    decided = await rig.loop._decide(batch)
    assert [(record.topic, record.value) for record in decided.records] == [(TOPIC, b"own")]
    assert [span.partition.topic for span in decided.spans] == [TOPIC]
