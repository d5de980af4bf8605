"""Which topics a service reads: its own, always, and other systems', while the document names them and they are there.

Our own that is missing stops the service; another system's is an alarm, and is looked for again.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Literal
from uuid import UUID

from processor.errors import UnavailableError
from processor.logs import Log as Logger
from processor.ports.effects import Progress
from processor.ports.log import Incarnation, Log, Partition

__all__ = ["Start", "Topics"]

Start = Literal["latest", "earliest"]
_LOOK_S = 5.0
"""Between two looks at the topics' ids: a topic made again under its name is not noticed otherwise (schema 1)."""


class Topics:
    """``own``: names of our own topics. ``others``: those that the document in force names, and where each begins."""

    def __init__(
        self,
        log: Log,
        own: Collection[str],
        others: Callable[[], Mapping[str, Start]],
        logger: Logger,
        clock: Callable[[], float],
    ) -> None:
        self.log = log
        self._own = frozenset(own)
        self._others = others
        self._logger = logger
        self._clock = clock
        self._look_at = 0.0
        self._named: dict[str, Start] = {}
        self._subscribed: frozenset[str] = frozenset()
        self._missing: set[str] = set()
        self._begun: set[str] = set()

    def look_again(self) -> None:
        """Something about the topics is not as it was: look at the next turn."""
        self._look_at = 0.0

    async def settle(self) -> Mapping[str, UUID] | None:
        """Bring the subscription in line. The ids of the topics, where it was time to look at them."""
        named = {name: start for name, start in self._others().items() if name not in self._own}
        if self._clock() < self._look_at and named == self._named:
            return None
        self._forget(self._named.keys() - named.keys())
        self._named = named
        found = await self.log.topics(self._own | named.keys())
        self._tell_missing(named.keys() - found.keys())
        wanted = self._own | (named.keys() & found.keys())
        if wanted != self._subscribed:
            self.log.subscribe(wanted)
            self._subscribed = wanted
            self._logger.info("topics_subscribed", topics=sorted(wanted))
        self._look_at = self._clock() + _LOOK_S
        return {name: topic.id for name, topic in found.items()}

    async def incarnations(self, names: Collection[str]) -> Mapping[str, Incarnation]:
        """As they are now; another system's may be absent. Raises ``UnavailableError`` when our own is missing."""
        found = await self.log.topics(names)
        missing = sorted((self._own & set(names)) - found.keys())
        if missing:
            raise UnavailableError(f"topic {missing[0]} does not exist: run `isthmus topics`", "topic_missing")
        return found

    async def begin(self, found: Mapping[str, Incarnation], progress: Progress) -> None:
        """Let each topic that is read for the first time, and begins at its latest record, begin there.

        All partitions at once, whoever reads them: one that is found later is new, and read from its first record.
        """
        for name, topic in found.items():
            if self._named.get(name) != "latest" or name in self._begun:
                continue
            every = [Partition(name, number) for number in range(topic.partitions)]
            bounds = await self.log.bounds(every)
            await progress.begin(topic.id, {partition: bounds[partition][1] for partition in every})
            self._begun.add(name)

    def _forget(self, names: Collection[str]) -> None:
        self._missing -= set(names)
        self._begun -= set(names)

    def _tell_missing(self, missing: Collection[str]) -> None:
        for name in sorted(set(missing) - self._missing):
            self._logger.error("alarm_raised", kind="topic_missing", topic=name)
        # What is made after it was missed is new from its first record on.
        self._begun |= set(missing)
        self._missing = set(missing)
