"""``isthmus contacts``: who is in the directories, what they did, and which event wrote what."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import typer

from processor.adapters.postgres.duplicates import PostgresMerges
from processor.adapters.postgres.reading import PostgresQueries
from processor.cli import run
from processor.cli.context import database, load_settings
from processor.cli.tables import Json, ask, json_line, json_text, table
from processor.domain.directory.ids import contact_cid, contact_id, transaction_ctr
from processor.ports.merges import MergeQueries, MergeRow
from processor.ports.queries import ContactRow, Queries, TextCriterion, TransactionRow, Writer

__all__ = ["app", "contact_text", "find_contacts", "show_contact"]

app = typer.Typer(no_args_is_help=True)

_FOUND = 100
"""Contacts shown by ``find`` at most."""
_SHOWN = 1_000
"""Transactions shown by ``show`` at most, the oldest first."""


@app.command()
def find(
    email: Annotated[str, typer.Option(help="E-mail address, in any case.")] = "",
    ext_ref: Annotated[str, typer.Option(help="External data reference, as a rule the userId.")] = "",
    phone: Annotated[str, typer.Option(help="Phone number as it was sent.")] = "",
    directory: Annotated[str, typer.Option(help="Id of one directory; all of them if left out.")] = "",
    json: Json = False,
) -> None:
    """Find contacts; several options have to hold together."""
    wanted: list[tuple[Literal["email", "extRef", "phone"], str]] = [
        ("email", email),
        ("extRef", ext_ref),
        ("phone", phone),
    ]
    criteria = [TextCriterion(field, "eq", value) for field, value in wanted if value.strip()]
    if not criteria:
        raise typer.BadParameter("give at least one of --email, --ext-ref and --phone")
    run(ask(lambda queries: find_contacts(queries, criteria, directory or None, json=json)))


@app.command()
def show(
    cid: Annotated[str, typer.Argument(help="Public id, CID_….")],
    json: Json = False,
    why: Annotated[bool, typer.Option("--why", help="Also say which event wrote each field.")] = False,
) -> None:
    """Show one contact and its transactions."""
    run(_show(cid, json=json, why=why))


async def find_contacts(
    queries: Queries, criteria: Sequence[TextCriterion], directory: str | None, *, json: bool
) -> None:
    """Print the contacts that meet all criteria."""
    rows = await queries.search(directory, criteria, -1, _FOUND + 1)
    shown = rows[:_FOUND]
    if json:
        print(json_text([_contact_json(row, why=False) for row in shown]))
        return
    if not rows:
        print("No contact matches.")
        return
    cells = [
        (contact_cid(r.id), r.directory, r.ext_ref, r.email, r.phone, r.first_name, r.last_name, len(r.embedded))
        for r in shown
    ]
    print(table(("contact", "directory", "extRef", "email", "phone", "firstName", "lastName", "embedded"), cells))
    if len(rows) > _FOUND:
        print(f"These are the first {_FOUND}; there are more.")


async def show_contact(queries: Queries, merges: MergeQueries, cid: str, *, json: bool, why: bool) -> None:
    """Print one contact, that which it is part of where it was merged away; exits with 1 when there is none."""
    id_ = contact_id(cid)
    row = await queries.contact(id_) if id_ is not None else None
    if row is None:
        print("null" if json else f"No contact has the id {cid!r}.")
        raise typer.Exit(1)
    transactions = await queries.transactions(row.id, None, _SHOWN)
    merged = await merges.merged_into(row.id)
    if json:
        shown = {**_contact_json(row, why=why), "merged": [_merge_json(each) for each in merged]}
        print(json_text({**shown, "transactions": [_transaction_json(each) for each in transactions]}))
        return
    if row.id != id_:
        print(f"{cid} was merged away into {contact_cid(row.id)}.\n")
    print(contact_text(row, transactions, merged, why=why))


async def _show(cid: str, *, json: bool, why: bool) -> None:
    async with database(load_settings(need_postgres=True)) as pool:
        await show_contact(PostgresQueries(pool), PostgresMerges(pool), cid, json=json, why=why)


def contact_text(
    row: ContactRow, transactions: Sequence[TransactionRow], merged: Sequence[MergeRow], *, why: bool
) -> str:
    """A contact as paragraphs: its fields, with ``why`` their writers, who was merged into it, its transactions."""
    parts = [f"{contact_cid(row.id)} in {row.directory}, created {row.created_at:%Y-%m-%d %H:%M:%S} UTC"]
    values = {name: value for name, value in _fields(row).items() if value is not None or (why and name in row.writers)}
    if why:
        cells = [(name, value, *_writer_cells(row.writers.get(name))) for name, value in values.items()]
        parts.append(table(("field", "value", "by message", "by mapping", "event time"), cells))
        parts += _origins(row.made_by)
    else:
        parts.append(table(("field", "value"), list(values.items())))
    if merged:
        losers = [(contact_cid(m.loser), f"{m.merged_at:%Y-%m-%d %H:%M:%S}", m.by) for m in merged]
        parts.append(table(("merged into it", "at", "by"), losers))
    if transactions:
        lines = [
            (transaction_ctr(t.key), f"{t.date:%Y-%m-%d %H:%M:%S}", t.mailing_list, json_line(t.data), t.message)
            for t in transactions
        ]
        parts.append(table(("transaction", "date", "list", "data", "message"), lines))
    else:
        parts.append("No transactions.")
    if len(transactions) == _SHOWN:
        parts.append(f"These are the oldest {_SHOWN} transactions at most; the API has all of them in pages.")
    return "\n\n".join(parts)


def _origins(made_by: Mapping[str, str]) -> Iterator[str]:
    """Sentences: which event and which rule made the contact, and which found it last to change it."""
    made = [f"{name} {made_by[name]}" for name in ("message", "mapping", "rule") if name in made_by]
    if made:
        yield f"Made by {', '.join(made)}."
    if "matchedRule" in made_by:
        yield f"Last found by rule {made_by['matchedRule']}, for message {made_by['matchedMessage']}."


def _fields(row: ContactRow) -> dict[str, object]:
    embedded = {f"embeddedData.{name}": value for name, value in sorted(row.embedded.items())}
    return {
        "extRef": row.ext_ref,
        "email": row.email,
        "phone": row.phone,
        "firstName": row.first_name,
        "lastName": row.last_name,
        "language": row.language,
        "unsubscribed": row.unsubscribed,
        **embedded,
    }


def _writer_cells(writer: Writer | None) -> tuple[object, ...]:
    if writer is None:
        return (None, None, None)
    at = f"{writer.at:%Y-%m-%d %H:%M:%S}" if writer.at else "-"
    return (writer.message, writer.mapping, at if writer.rank else f"{at} (initial)")


def _contact_json(row: ContactRow, *, why: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": contact_cid(row.id),
        "directory": row.directory,
        "extRef": row.ext_ref,
        "email": row.email,
        "phone": row.phone,
        "firstName": row.first_name,
        "lastName": row.last_name,
        "language": row.language,
        "unsubscribed": row.unsubscribed,
        "embeddedData": dict(row.embedded),
        "created": row.created_at,
        "modified": row.modified_at,
    }
    if why:
        fields = {
            name: {"message": w.message, "mapping": w.mapping, "at": w.at, "initial": w.rank == 0}
            for name, w in row.writers.items()
        }
        found["why"] = {"by": dict(row.made_by), "fields": fields}
    return found


def _merge_json(row: MergeRow) -> dict[str, Any]:
    return {"id": contact_cid(row.loser), "at": row.merged_at, "by": row.by}


def _transaction_json(row: TransactionRow) -> dict[str, Any]:
    return {
        "id": transaction_ctr(row.key),
        "date": row.date,
        "mailingList": row.mailing_list,
        "data": dict(row.data),
        "source": row.source,
        "mapping": row.mapping,
        "message": row.message,
        "revision": row.revision,
    }
