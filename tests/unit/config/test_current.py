"""The revision in force: the newest that this process could take."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from processor.config import Current, Secrets
from processor.errors import ConfigError
from processor.ports.revisions import Revision

GOOD, BAD = "version: 1\n", "version: 2\n"


class Stored:
    """Revisions in a list: what ``config.Store`` needs, and how often it was asked for documents."""

    def __init__(self, *documents):
        self.documents = list(documents)
        self.read = 0

    async def newest(self):
        return len(self.documents)

    async def get(self, number):
        self.read += 1
        return Revision(number, self.documents[number - 1], datetime.now(UTC), "test")

    async def history(self, limit=50):
        return [await self.get(number) for number in range(len(self.documents), 0, -1)][:limit]


def current(*documents):
    stored = Stored(*documents)
    return stored, Current(stored, Secrets({}, Path("/nowhere")))


async def test_nothing_yet():
    """Before the first revision there is nothing to decide by, and it says what to do."""
    stored, watched = current()
    assert not await watched.refresh()
    assert not watched.ready
    with pytest.raises(ConfigError, match="isthmus config apply"):
        _ = watched.current
    stored.documents.append(GOOD)
    assert await watched.refresh()
    assert watched.current.revision == 1


async def test_newer():
    """A newer revision is taken once, and asking again costs one number."""
    stored, watched = current(GOOD)
    assert await watched.refresh()
    stored.documents += [GOOD, GOOD + "sources: []\n"]
    assert await watched.refresh()
    assert (watched.current.revision, watched.refused, stored.read) == (3, None, 2)
    assert not await watched.refresh()
    assert stored.read == 2


async def test_refused():
    """One that does not hold leaves the last good one in force, and is read only once."""
    stored, watched = current(GOOD)
    await watched.refresh()
    stored.documents.append(BAD)
    assert not await watched.refresh()
    assert watched.current.revision == 1
    assert watched.refused is not None
    assert watched.refused[0] == 2
    assert "version" in watched.refused[1]
    assert not await watched.refresh()
    assert stored.read == 2
    stored.documents.append(GOOD)
    assert await watched.refresh()
    assert (watched.current.revision, watched.refused) == (3, None)


async def test_back_through_history():
    """At start the newest that compiles is taken, and why it is not the newest is known."""
    _, watched = current(GOOD, GOOD, BAD, BAD)
    assert await watched.refresh()
    assert watched.current.revision == 2
    assert watched.refused is not None
    assert watched.refused[0] == 4


async def test_none_compiles():
    """Where no revision can be taken, the reason stands in the error."""
    _, watched = current(BAD)
    assert not await watched.refresh()
    with pytest.raises(ConfigError, match="revision 1 was refused"):
        _ = watched.current


WITH_LIBRARIES = """\
version: 1
directories: [{id: POOL_a, name: A}]
connections:
  - name: crm
    mappings:
      - name: contact
        action: addContactToXmd
        when: {jmespath: "type == 'identify'"}
        fields: {directoryId: POOL_a, email: {"@liquid": "{{ userId }}"}, phone: {"@jmespath": "traits.phone"}}
"""


@pytest.mark.parametrize("decides", [False, True])
def test_who_decides_nothing_loads_nothing_for_it(decides):
    """A process of ingress alone takes a revision without Liquid and JSONPath; others need them."""
    code = (
        "import asyncio, sys\n"
        "from datetime import UTC, datetime\n"
        "from pathlib import Path\n"
        "from processor.config import Current, Secrets\n"
        "from processor.ports.revisions import Revision\n"
        "class Stored:\n"
        "    async def newest(self): return 1\n"
        "    async def history(self, limit=50): return [Revision(1, sys.argv[1], datetime.now(UTC), 'test')]\n"
        f"current = Current(Stored(), Secrets({{}}, Path('/nowhere')), rules={decides})\n"
        "assert asyncio.run(current.refresh()), current.refused\n"
        "print(*sorted({'liquid', 'jsonpath'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, WITH_LIBRARIES], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == (["liquid"] if decides else [])
