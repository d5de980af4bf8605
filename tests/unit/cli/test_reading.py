"""What the reading commands print: for people, for programs, and when there is nothing to print."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import typer
from support.queries import ListedMerges, ListedQueries
from typer.testing import CliRunner

from processor.cli import contacts, deadletters, ledger
from processor.cli.tables import table
from processor.domain.directory.ids import contact_cid, transaction_ctr
from processor.domain.outcome import FILTERED_REASONS
from processor.ports.queries import (
    ContactRow,
    DeadLetterRow,
    DeadLetterSummary,
    EffectRow,
    Ledger,
    LedgerRow,
    TextCriterion,
    TransactionRow,
    Writer,
)

BORN = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
ADA = ContactRow(
    id=1,
    directory="POOL_customers",
    ext_ref="user1",
    email="ada@shop.example",
    phone=None,
    first_name="Ada",
    last_name=None,
    language="de",
    unsubscribed=None,
    embedded={"plan": "gold"},
    created_at=BORN,
    modified_at=BORN,
    made_by={
        "mapping": "crm/contact",
        "message": "m1",
        "rule": "extRef",
        "matchedRule": "email",
        "matchedMessage": "m2",
    },
    writers={
        "email": Writer(1, BORN, "m1", "crm/contact"),
        "language": Writer(0, BORN, "m0", "crm/transaction"),
        "phone": Writer(1, None, "m2", "crm/contact"),
    },
)
PURCHASE = TransactionRow(bytes(16), 1, BORN, {"total": "9"}, "CG_all", "web", "crm/transaction", "t1", 3)
LETTER = DeadLetterRow(
    DeadLetterSummary(
        id=4,
        service="directory",
        topic="segment.events",
        partition=0,
        offset=17,
        mapping="crm/contact",
        code="no_matching_key",
        reason="no\nkey\x1b[2J",
        source="web",
        message="m4",
        state="open",
        received=BORN,
        revision=2,
    ),
    headers=[["source", "web"]],
    key=b"\xff\x00",
    value='{"userId": "ä"}'.encode(),
)
QUERIES = ListedQueries(all_contacts=[ADA], all_transactions=[PURCHASE], letters=[LETTER])
EMPTY = ListedQueries()
Capture = pytest.CaptureFixture[str]


def counted(**filtered: int) -> LedgerRow:
    reasons = {name: filtered.get(name, 0) for name in FILTERED_REASONS}
    return LedgerRow("directory", "segment.events", "web", 7, 1, reasons, 0, 0)


async def test_find(capsys: Capture) -> None:
    """A table with what a person searches by."""
    await contacts.find_contacts(QUERIES, [TextCriterion("email", "eq", "ADA@shop.example")], None, json=False)
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["contact", "directory", "extRef", "email", "phone", "firstName", "lastName", "embedded"]
    assert line.split() == [contact_cid(1), "POOL_customers", "user1", "ada@shop.example", "-", "Ada", "-", "1"]


async def test_find_as_json(capsys: Capture) -> None:
    """A list of objects, empty when nothing matches."""
    criteria = [TextCriterion("extRef", "eq", "user1")]
    await contacts.find_contacts(QUERIES, criteria, "POOL_customers", json=True)
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["id"], found["embeddedData"]) == (contact_cid(1), {"plan": "gold"})
    await contacts.find_contacts(EMPTY, criteria, None, json=True)
    assert json.loads(capsys.readouterr().out) == []


async def test_find_nobody(capsys: Capture) -> None:
    """A clear sentence."""
    await contacts.find_contacts(EMPTY, [TextCriterion("phone", "eq", "1")], None, json=False)
    assert capsys.readouterr().out == "No contact matches.\n"


async def test_more_than_is_shown(capsys: Capture) -> None:
    """A cut list says that it is cut."""
    many = ListedQueries(all_contacts=[replace(ADA, id=n) for n in range(1, 140)])
    await contacts.find_contacts(many, [TextCriterion("extRef", "eq", "user1")], None, json=False)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 102
    assert "there are more" in lines[-1]


def test_find_needs_something_to_find() -> None:
    """Wrong usage is exit code 2, before anything is opened."""
    result = CliRunner().invoke(contacts.app, ["find", "--directory", "POOL_customers"])
    assert result.exit_code == 2
    assert "at least one of" in result.output


async def test_show(capsys: Capture) -> None:
    """Fields that have a value, and the transactions."""
    await contacts.show_contact(QUERIES, ListedMerges(), contact_cid(1), json=False, why=False)
    out = capsys.readouterr().out
    assert "ada@shop.example" in out
    assert "embeddedData.plan  gold" in out
    assert "phone" not in out
    assert f"{transaction_ctr(bytes(16))}  2026-01-31 12:00:00  CG_all" in out


async def test_show_why(capsys: Capture) -> None:
    """Each field's message and mapping; a cleared field is shown, for its writer is known."""
    await contacts.show_contact(QUERIES, ListedMerges(), contact_cid(1), json=False, why=True)
    shown = capsys.readouterr().out
    assert "Made by message m1, mapping crm/contact, rule extRef." in shown
    assert "Last found by rule email, for message m2." in shown
    lines = [line.split() for line in shown.splitlines()]
    assert ["email", "ada@shop.example", "m1", "crm/contact", "2026-01-31", "12:00:00"] in lines
    assert ["language", "de", "m0", "crm/transaction", "2026-01-31", "12:00:00", "(initial)"] in lines
    assert ["phone", "-", "m2", "crm/contact", "-"] in lines


async def test_show_as_json(capsys: Capture) -> None:
    """The contact, its transactions and, asked for, the reasons."""
    await contacts.show_contact(QUERIES, ListedMerges(), contact_cid(1), json=True, why=True)
    shown = json.loads(capsys.readouterr().out)
    assert shown["transactions"][0]["data"] == {"total": "9"}
    assert shown["why"]["fields"]["language"] == {
        "message": "m0", "mapping": "crm/transaction", "at": "2026-01-31T12:00:00Z", "initial": True
    }  # fmt: skip


async def test_a_contact_without_transactions(capsys: Capture) -> None:
    """A clear sentence."""
    await contacts.show_contact(
        ListedQueries(all_contacts=[ADA]), ListedMerges(), contact_cid(1), json=False, why=False
    )
    assert capsys.readouterr().out.endswith("No transactions.\n")


@pytest.mark.parametrize("cid", ["nonsense", contact_cid(2)])
async def test_show_nobody(capsys: Capture, cid: str) -> None:
    """Exit code 1 and a sentence, or null."""
    for as_json, said in ((False, f"No contact has the id {cid!r}.\n"), (True, "null\n")):
        with pytest.raises(typer.Exit) as raised:
            await contacts.show_contact(QUERIES, ListedMerges(), cid, json=as_json, why=False)
        assert raised.value.exit_code == 1
        assert capsys.readouterr().out == said


async def test_ledger(capsys: Capture) -> None:
    """Only reasons that occurred have a column; what adds up exits with 0."""
    queries = ListedQueries(the_ledger=Ledger([counted(no_match=2)], [], {"directory": 0}))
    await ledger.print_ledger(queries, by_mapping=True, json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["service", "topic", "source", "read", "applied", "no_match", "dead", "expired", "holes"]
    assert lines[1].split() == ["directory", "segment.events", "web", "10", "7", "2", "1", "0", "0"]
    assert "No mapping has had an effect yet." in lines
    assert lines[-1].split() == ["directory", "0"]


async def test_a_ledger_that_does_not_add_up(capsys: Capture) -> None:
    """Exit code 1, in either direction, also when two services would cancel out."""
    queries = ListedQueries(the_ledger=Ledger([], [], {"directory": 2, "rejects": -2}))
    for as_json in (True, False):
        with pytest.raises(typer.Exit) as raised:
            await ledger.print_ledger(queries, by_mapping=False, json=as_json)
        assert raised.value.exit_code == 1
    assert "-2" in capsys.readouterr().out


async def test_ledger_as_json(capsys: Capture) -> None:
    """Every reason is named, effects on request."""
    effect = EffectRow("directory", "segment.events", "crm/contact", 9, 4, 3, 1, 0, 1)
    queries = ListedQueries(the_ledger=Ledger([counted(own=1)], [effect], {"directory": 0}))
    await ledger.print_ledger(queries, by_mapping=True, json=True)
    shown = json.loads(capsys.readouterr().out)
    assert shown["records"][0]["filtered"] == dict.fromkeys(FILTERED_REASONS, 0) | {"own": 1}
    assert shown["records"][0]["read"] == 9
    assert shown["effects"][0]["changed"] == 4
    assert shown["unaccounted"] == {"directory": 0}


async def test_an_empty_ledger(capsys: Capture) -> None:
    """A clear sentence."""
    await ledger.print_ledger(EMPTY, by_mapping=False, json=False)
    assert capsys.readouterr().out == "The ledger is empty: no service has applied a batch yet.\n"


async def test_dead_letters(capsys: Capture) -> None:
    """One line each; other people's control characters do not reach the terminal."""
    await deadletters.list_dead_letters(QUERIES, "", "no_matching_key", "", 50, json=False)
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 2
    assert r"no\nkey\x1b[2J" in out


async def test_no_dead_letters(capsys: Capture) -> None:
    """Which of the two kinds of nothing it is."""
    await deadletters.list_dead_letters(QUERIES, "other", "", "", 50, json=False)
    await deadletters.list_dead_letters(EMPTY, "", "", "", 50, json=False)
    assert capsys.readouterr().out == "No dead letter matches.\nThere are no dead letters.\n"


async def test_a_dead_letters_bytes(capsys: Capture) -> None:
    """Text where it is UTF-8, else base64, in both forms of output."""
    await deadletters.show_dead_letter(QUERIES, 4, json=True)
    shown = json.loads(capsys.readouterr().out)
    assert shown["value"] == {"text": '{"userId": "ä"}'}
    assert shown["key"] == {"base64": "/wA="}
    await deadletters.show_dead_letter(QUERIES, 4, json=False)
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split() == ["key", "(base64)", "/wA="] for line in lines)
    assert any(line.split() == ["offset", "17"] for line in lines)


async def test_no_such_dead_letter(capsys: Capture) -> None:
    """Exit code 1, also for a number that no column holds."""
    for id_ in (5, 0, 2**70):
        with pytest.raises(typer.Exit):
            await deadletters.show_dead_letter(QUERIES, id_, json=False)
    assert capsys.readouterr().out.startswith("No dead letter has the number 5.\n")


def test_tables() -> None:
    """Numbers to the right, nothing as a dash, no trailing spaces."""
    assert table(("name", "n"), [("a", 1), (None, 20)]) == "name   n\na      1\n-     20"
    assert table(("name", "n"), []) == "name  n"
