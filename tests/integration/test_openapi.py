"""The OpenAPI document walked by schemathesis against the API on a real PostgreSQL: whatever is asked, the answer is
one that the document names, in the shape that it promises, and never a fault of ours."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from support.api_server import TOKEN, ApiServer, serving

from processor.adapters.postgres.reading import PostgresQueries
from processor.api.v3.routes import OPERATIONS, ROOT
from processor.errors import RejectedError

pytestmark = pytest.mark.integration

WITHIN_S = 150
CONFIG = """
seed = 5
[generation]
deterministic = true
database = "none"
allow-x00 = false        # refused by a rule of its own, bad_text, that no schema can say
max-examples = {examples}
[dictionaries.directories]
values = ["POOL_a", "POOL_b"]
[dictionaries.contacts]
values = ["{contact}"]
[dictionaries.transactions]
values = ["{transaction}"]
[dictionaries.doomed]    # what is deleted is another one's, so that the others are still there to be asked for
values = {doomed}
[dictionaries.doomed_transactions]
values = {doomed_transactions}
[dictionaries.leaving]   # members of CG_all
values = {leaving}
[dictionaries.lists]
values = ["CG_all"]
[dictionaries.made_lists]
values = ["{made_list}"]
[dictionaries.doomed_lists]
values = {doomed_lists}
[dictionaries.tokens]
values = [""]            # a page goes on only after a token that the page before gave
[parameters]
"query.skipToken" = {{dictionary = "tokens", probability = 1.0}}
"path.directory" = {{dictionary = "directories", probability = 0.9}}
"path.contact" = {{dictionary = "contacts", probability = 0.8}}
"path.transaction" = {{dictionary = "transactions", probability = 0.8}}
"path.list" = {{dictionary = "lists", probability = 0.8}}
[headers]
X-API-TOKEN = "{token}"
[phases.stateful]
max-steps = 5
[warnings]
enabled = false
[[operations]]
include-operation-id = "deleteContact"
[operations.parameters]
"path.contact" = {{dictionary = "doomed", probability = 0.8}}
[[operations]]
include-operation-id = "deleteTransaction"
[operations.parameters]
"path.transaction" = {{dictionary = "doomed_transactions", probability = 0.8}}
[[operations]]           # a list of the document cannot be changed
include-operation-id = "updateMailingList"
[operations.parameters]
"path.list" = {{dictionary = "made_lists", probability = 0.8}}
[[operations]]
include-operation-id = "deleteMailingList"
[operations.parameters]
"path.list" = {{dictionary = "doomed_lists", probability = 0.8}}
[[operations]]
include-operation-id = "deleteMailingListContact"
[operations.parameters]
"path.contact" = {{dictionary = "leaving", probability = 0.8}}
[[operations]]           # each row is judged by itself, and a wrong one is an answer of status 200
include-operation-id = "createTransactions"
[operations.checks.negative_data_rejection]
enabled = false
[[operations]]           # contactId and mailingListId may be sent back, but have to be what they are
include-operation-id = "updateTransaction"
[operations.checks.positive_data_acceptance]
enabled = false
"""


async def walk(api: ApiServer, folder: Path, *arguments: str, examples: int = 20) -> tuple[int, str]:
    """Exit status and output of one walk."""
    names = ("ada", "bob", "eve")
    ada, *doomed = [
        (await api.result("POST", "/directories/POOL_a/contacts", {"extRef": each}))["id"] for each in names
    ]
    lists = "/directories/POOL_a/mailinglists"
    made_list, *doomed_lists = [(await api.result("POST", lists, {"name": each}))["id"] for each in names]
    members = f"{lists}/CG_all/contacts"
    leaving = [(await api.result("POST", members, {"email": f"{each}@shop.example"}))["id"] for each in names]
    rows = {str(n): {"contactId": ada, "data": {"n": n}} for n in range(9)}
    added = (await api.result("POST", "/directories/POOL_a/transactions", rows))["createdTransactions"]
    transaction, *others = [each["id"] for each in added.values()]
    api.answered.clear()
    known = {
        "contact": ada,
        "doomed": json.dumps(doomed),
        "leaving": json.dumps(leaving),
        "made_list": made_list,
        "doomed_lists": json.dumps(doomed_lists),
        "transaction": transaction,
        "doomed_transactions": json.dumps(others),
        "token": TOKEN,
        "examples": examples,
    }
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG.format(**known))
    command = [Path(sys.executable).with_name("schemathesis"), "--config-file", config, "run", "--no-color"]
    process = await asyncio.create_subprocess_exec(
        *command,
        *arguments,
        f"{api.url}{ROOT}/openapi.json",
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, output.decode()


@pytest.mark.timeout(WITHIN_S + 60)
async def test_every_answer_is_as_the_document_says(database: str, tmp_path: Path) -> None:
    """No fault of ours, no status, code or shape beyond the document; and each operation was reached in earnest."""
    async with serving(database) as api:
        status, output = await walk(api, tmp_path)
        assert status == 0, output[-8_000:]
        calls = {(each.method, ROOT + each.path) for each in OPERATIONS}
        unreached = {call for call in calls if not api.answered[*call, 200]}
        assert not unreached, output[-8_000:]
        assert sum(api.answered.values()) > 500


class _Broken(PostgresQueries):
    """A fault of ours in one call, and in another a refusal by a code that the document does not name."""

    async def directories(self) -> Any:
        raise KeyError("not found")

    async def contacts(self, directory: str, after: int, limit: int) -> Any:
        raise RejectedError("a_new_code", "nobody knows me")


@pytest.mark.parametrize(
    ("operation", "said"), [("listDirectories", "Server error"), ("listContacts", "Response violates schema")]
)
async def test_what_is_broken_is_found(database: str, tmp_path: Path, operation: str, said: str) -> None:
    """The walk above can fail."""
    async with serving(database, queries=_Broken) as api:
        status, output = await walk(api, tmp_path, "--include-operation-id", operation, examples=10)
        assert status == 1, output[-8_000:]
        assert said in output
