"""The slot of a process that slept: lost, and known to be lost, whatever of the server's farewell was read by then."""

import asyncio
import time

import asyncpg
import pytest

from processor.adapters.postgres.slots import Slot, take_slot
from processor.errors import UnavailableError

pytestmark = pytest.mark.integration


async def _taken(database: str) -> Slot:
    return await take_slot(database, "directory", only=False, waiting=lambda: None)


async def test_slots_are_the_lowest_free_numbers(database: str) -> None:
    first, second = await _taken(database), await _taken(database)
    assert (first.number, second.number) == (0, 1)
    await first.give_back()
    await asyncio.sleep(0.2)
    third = await _taken(database)
    assert third.number == 0
    await second.give_back()
    await third.give_back()


@pytest.mark.parametrize("turns", range(6))
async def test_a_slot_lost_in_sleep_is_unavailable(database: str, turns: int) -> None:
    """The server ended the session while the process was frozen. The farewell and the closing are read in turns of the
    event loop; a query between them is refused by asyncpg with its own `InternalClientError`."""
    connection = await asyncpg.connect(database, server_settings={"idle_session_timeout": "100ms"})
    time.sleep(0.4)
    for _ in range(turns):
        await asyncio.sleep(0)
    with pytest.raises(UnavailableError):
        await Slot(connection, 0).hold()
    connection.terminate()
