"""Services, callers of the API and operators at the same dozen people at once: no twins, no deadlock, nothing twice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from random import Random
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr
from support.directory_state import look
from support.histories import DIRECTORY, fresh, rules_with
from support.owner import Owner

from processor.adapters.postgres.pool import open_pool
from processor.adapters.postgres.writing import PostgresDirectoryWriter
from processor.domain.directory.command import Command, Transaction
from processor.domain.directory.effect_keys import effect_key
from processor.domain.directory.matching import ref_key
from processor.errors import RejectedError, UnavailableError
from processor.settings import Settings

pytestmark = pytest.mark.integration

RULES = rules_with("[[extRef], [email], [phone, lastName]]", "stitch: true")
SERVICES, BATCHES, CALLERS, CALLS, PEOPLE = 4, 15, 3, 60, 12


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Any]:
    pool = await open_pool(Settings(postgres=SecretStr(database), postgres_pool=SERVICES + CALLERS))
    yield pool
    await pool.close()


class Crowd:
    """Whoever writes, in an order that the seed gives; what each does is in the methods."""

    def __init__(self, pool: Any, seed: int) -> None:
        self.pool = pool
        self.random = Random(seed)
        self.writer = PostgresDirectoryWriter(pool)
        self.directory = RULES.directories[DIRECTORY]
        self.waits = self.deadlocks = self.bought = 0

    def command(self, name: str) -> Command:
        """Of a person, with an address or a number that may be another's."""
        chance = self.random
        values: dict[str, Any] = {"extRef": f"u{chance.randrange(PEOPLE)}"}
        if chance.random() < 0.5:
            values["email"] = f"{chance.randrange(PEOPLE)}@x.example"
        if chance.random() < 0.3:
            values |= {"phone": str(chance.randrange(PEOPLE)), "lastName": "n"}
        command = Command(DIRECTORY, "crm/contact", "web", name, chance.randrange(1_000), values)
        if chance.random() < 0.1:
            who = {"extRef": values["extRef"]}
            former = ref_key({"extRef": f"u{chance.randrange(PEOPLE)}"})
            return command._replace(mapping="stitch", values=who, formerly=former)
        if chance.random() < 0.4:
            self.bought += 1
            bought = Transaction(effect_key("transaction", "web", "crm/buy", name), 1_000, {"name": name})
            return command._replace(values={}, initial=values, transaction=bought)
        return command

    async def serve(self, owner: Owner) -> None:
        for batch in range(BATCHES):
            commands = [self.command(f"m{owner.place.partition}-{batch}-{place}") for place in range(20)]
            await self.until_done(partial(owner.write, *commands))

    async def call(self, owner: Owner, number: int) -> None:
        for call in range(CALLS):
            await self.until_done(self.something(owner, f"c{number}-{call}"))

    def something(self, owner: Owner, name: str) -> Callable[[], Awaitable[Any]]:
        if self.random.random() < 0.7:
            return partial(self.write, owner.found(self.command(name)))
        return self.random.choice((self.merge, self.unmerge, self.delete))

    async def write(self, command: Command) -> None:
        await self.writer.write(self.directory, [command], revision=1)

    async def merge(self) -> None:
        numbers = await self.numbers("merged_into IS NULL")
        if len(numbers) > 1:
            await self.writer.merge(*self.random.sample(numbers, 2), "tests")

    async def unmerge(self) -> None:
        numbers = await self.numbers("merged_into IS NOT NULL")
        if numbers:
            await self.writer.unmerge(self.random.choice(numbers), "tests")

    async def delete(self) -> None:
        numbers = await self.numbers("true")
        if numbers and self.random.random() < 0.1:
            await self.writer.delete_contact(DIRECTORY, self.random.choice(numbers), "tests")

    async def numbers(self, which: str) -> list[int]:
        sql = f"SELECT c.id FROM contacts c JOIN directories d USING (dir) WHERE d.id = $1 AND {which} ORDER BY c.id"
        return [row["id"] for row in await self.pool.fetch(sql, DIRECTORY)]

    async def until_done(self, work: Callable[[], Awaitable[Any]]) -> None:
        """Again, as the loop and a caller do it."""
        for _ in range(10):
            try:
                await work()
            except RejectedError:  # merged, or taken away, by somebody else meanwhile
                return
            except UnavailableError as error:
                self.deadlocks += isinstance(error.__cause__, asyncpg.DeadlockDetectedError)
                self.waits += 1
            else:
                return
        raise AssertionError("ten times in vain")


async def check(crowd: Crowd) -> None:
    state = await look(crowd.pool, DIRECTORY)
    state.check(crowd.directory.merge_rules)
    assert max(state.references().values(), default=1) == 1, "twins"


async def test_one_after_another(pool: Any) -> None:
    """What must be true is true after each step, whatever was merged, taken back and written in between."""
    for seed in range(12):
        owner = await fresh(pool, RULES)
        crowd = Crowd(pool, seed)
        for step in range(40):
            await crowd.until_done(crowd.something(owner, f"s{seed}-{step}"))
            await check(crowd)
        assert crowd.waits == 0


@pytest.mark.parametrize("seed", range(3))
async def test_everybody_at_once(pool: Any, seed: int) -> None:
    first = await fresh(pool, RULES)
    services = [
        first,
        *[await Owner(pool, RULES, first.place.partition + 1_000 + n).admit() for n in range(SERVICES - 1)],
    ]
    crowd = Crowd(pool, seed)
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        for owner in services:
            tasks.create_task(crowd.serve(owner))
        for number in range(CALLERS):
            tasks.create_task(crowd.call(first, number))
    await check(crowd)
    left = await pool.fetchval("SELECT count(*) FROM transactions")
    gone = await pool.fetchval("SELECT coalesce(sum(transactions), 0) FROM erasures")
    assert left + gone == crowd.bought
    assert crowd.deadlocks == 0
    assert crowd.waits <= 5, f"{crowd.waits} writes found no rest"
