"""What ``isthmus contacts duplicates`` and ``show`` print of merges, and when something is asked before it is done."""

import json
from datetime import UTC, datetime

import pytest
import typer
from support.queries import ListedMerges, ListedQueries

from processor.cli import contacts, merging
from processor.cli.writing import confirm, named_contact
from processor.domain.directory.ids import contact_cid
from processor.domain.rules import Directory
from processor.errors import RejectedError
from processor.ports.merges import DuplicatePair, MergeRow
from processor.ports.queries import ContactRow

MOMENT = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
PEOPLE = Directory("POOL_people", "People", (("email", "phone"),))
PAIRS = ListedMerges([DuplicatePair("POOL_people", ("email", "phone"), n, n + 100) for n in range(3)])
Capture = pytest.CaptureFixture[str]


async def test_duplicates(capsys: Capture) -> None:
    """The rule in words, the older contact first, and what to do about it."""
    await merging.print_duplicates(PAIRS, [PEOPLE], 2, json=False)
    head, first, _, cut, advice = capsys.readouterr().out.splitlines()
    assert head.split() == ["directory", "rule", "older", "younger"]
    assert first.split("  ") == ["POOL_people", "email + phone", contact_cid(0), contact_cid(100)]
    assert cut == "These are the first 2; --limit shows more."
    assert "merge OLDER YOUNGER" in advice


async def test_duplicates_as_json(capsys: Capture) -> None:
    """A list, empty when there are none."""
    await merging.print_duplicates(PAIRS, [PEOPLE], 1, json=True)
    assert json.loads(capsys.readouterr().out) == [
        {"directory": "POOL_people", "rule": ["email", "phone"], "older": contact_cid(0), "younger": contact_cid(100)}
    ]
    await merging.print_duplicates(PAIRS, [], 1, json=True)
    assert json.loads(capsys.readouterr().out) == []


async def test_no_duplicates(capsys: Capture) -> None:
    """A clear sentence."""
    await merging.print_duplicates(ListedMerges(), [PEOPLE], 1, json=False)
    assert capsys.readouterr().out == "No two contacts are one by the merge rules in force.\n"


async def test_a_contact_that_others_were_merged_into(capsys: Capture) -> None:
    """It names them, and says when the id that was asked for is one of them."""
    row = ContactRow(1, "POOL_people", None, None, None, None, None, None, None, {}, MOMENT, MOMENT)
    queries = ListedQueries(all_contacts=[row], merged={2: 1})
    merges = ListedMerges(merges=[MergeRow(1, 2, "ada@desk", MOMENT)])
    await contacts.show_contact(queries, merges, contact_cid(2), json=False, why=False)
    out = capsys.readouterr().out
    assert out.startswith(f"{contact_cid(2)} was merged away into {contact_cid(1)}.\n")
    assert f"{contact_cid(2)}  2026-01-31 12:00:00  ada@desk" in out
    await contacts.show_contact(queries, merges, contact_cid(1), json=True, why=False)
    shown = json.loads(capsys.readouterr().out)
    assert shown["merged"] == [{"id": contact_cid(2), "at": "2026-01-31T12:00:00Z", "by": "ada@desk"}]


def test_nobody_to_ask(capsys: Capture) -> None:
    """Without a terminal nothing is deleted, unless --yes says so: wrong usage, and a sentence."""
    confirm("Delete?", yes=True)
    with pytest.raises(typer.Exit) as raised:
        confirm("Delete?", yes=False)
    assert raised.value.exit_code == 2
    assert "--yes" in capsys.readouterr().err


def test_what_is_no_id() -> None:
    """The code that a number without a contact has too."""
    with pytest.raises(RejectedError) as raised:
        named_contact("nonsense")
    assert raised.value.code == "unknown_contact"
