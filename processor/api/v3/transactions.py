"""The calls that write transactions, and the one that reads a single one."""

from collections.abc import Mapping

from pydantic import ValidationError

from processor.api.bodies import beside
from processor.api.operations import Call, Operation
from processor.api.refusals import RefusedError, no_contact, refused, spoken
from processor.api.tokens import READ, WRITE
from processor.api.v3.addresses import DIRECTORY, TRANSACTION
from processor.api.v3.answers import Made, Nothing, TransactionElement, TransactionsMade, Unprocessed
from processor.api.v3.asked import MOST_TRANSACTIONS, TransactionChange, TransactionFields, Transactions
from processor.api.v3.reading import contact_of
from processor.api.v3.shapes import transaction_element
from processor.api.wire import sentence_of
from processor.api.writing import asking_of, refusal_of
from processor.domain.directory.command import Command
from processor.domain.directory.from_request import Asking, date_of, text_data, transaction_command
from processor.domain.directory.ids import contact_id, transaction_ctr, transaction_range
from processor.errors import RejectedError
from processor.ports.queries import TransactionRow

__all__ = ["TRANSACTIONS"]

_UNKNOWN = "This contact has no transaction with this id."


async def _create_transactions(call: Call) -> TransactionsMade:
    """Each row is looked at by itself: one that is refused stops no other, and the status is 200 all the same."""
    asking = asking_of(call)
    commands, unprocessed = await beside(call.size, lambda: _commands(asking, call.body.root))
    made: dict[str, Made] = {}
    if commands:
        became = await call.writer.write(asking.directory, list(commands.values()), revision=call.compiled.revision)
        for (place, command), each in zip(commands.items(), became, strict=True):
            refusal = refusal_of(each)
            if refusal is not None:
                unprocessed[place] = Unprocessed(error=refusal.code, error_message=refusal.message)
            elif command.transaction is not None:
                made[place] = Made(id=transaction_ctr(command.transaction.key))
    return TransactionsMade(created_transactions=made, unprocessed_transactions=unprocessed)


def _commands(asking: Asking, rows: Mapping[str, object]) -> tuple[dict[str, Command], dict[str, Unprocessed]]:
    commands: dict[str, Command] = {}
    unprocessed: dict[str, Unprocessed] = {}
    for place, row in rows.items():
        try:
            commands[place] = _command(asking, place, row)
        except RejectedError as error:
            unprocessed[place] = Unprocessed(error=error.code, error_message=spoken(error.message))
    return commands, unprocessed


def _command(asking: Asking, place: str, row: object) -> Command:
    try:
        fields = TransactionFields.model_validate(row)
    except ValidationError as error:
        raise refused("QVAL_3", sentence_of(TransactionFields, error, "A transaction")) from None
    contact = contact_id(fields.contact_id)
    if contact is None:
        raise no_contact()
    return transaction_command(asking, place, contact, fields.model_dump(by_alias=True))


async def _get_transaction(call: Call) -> TransactionElement:
    row, _ = await _transaction(call)
    return transaction_element(row)


async def _update_transaction(call: Call) -> Made:
    """What was read can be sent back: the contact and the list may stand there, and stay what they are."""
    row, keys = await _transaction(call)
    asked: TransactionChange = call.body
    now = transaction_element(row)
    for name, given, has in (
        ("contactId", asked.contact_id, now.contact_id),
        ("mailingListId", asked.mailing_list_id, now.mailing_list_id),
    ):
        if given is not None and given != has:
            raise refused("QVAL_3", f"{name} of a transaction cannot be changed; delete it and create another.")
    date = None if asked.transaction_date is None else date_of(asked.transaction_date)
    data = None if asked.data is None else await beside(call.size, lambda: text_data(asked.data or {}))
    if (date is not None or data is not None) and not await call.writer.update_transaction(
        call.directory().id, keys, date, data
    ):
        raise _unknown()
    return Made(id=now.transaction_id)


async def _delete_transaction(call: Call) -> Nothing:
    _, keys = await _transaction(call)
    if not await call.writer.delete_transaction(call.directory().id, keys):
        raise _unknown()
    return Nothing()


async def _transaction(call: Call) -> tuple[TransactionRow, tuple[bytes, bytes]]:
    """The transaction in the address and the range of its key. Raises ``RefusedError`` (404)."""
    contact, keys = await contact_of(call), transaction_range(call.path("transaction"))
    row = None if keys is None else await call.parts.queries.transaction(contact.id, keys)
    if row is None or keys is None:
        raise _unknown()
    return row, keys


def _unknown() -> RefusedError:
    return refused("unknown_transaction", _UNKNOWN)


_NOT_THERE = ("unknown_transaction",)

TRANSACTIONS = (
    Operation(
        "POST", f"{DIRECTORY}/transactions", WRITE, f"Add up to {MOST_TRANSACTIONS} transactions to contacts",
        _create_transactions, TransactionsMade, body=Transactions, repeatable=True,
    ),
    Operation("GET", TRANSACTION, READ, "One transaction", _get_transaction, TransactionElement, errors=_NOT_THERE),
    Operation(
        "PUT", TRANSACTION, WRITE, "Replace a transaction's date, its data or both", _update_transaction, Made,
        body=TransactionChange, errors=_NOT_THERE,
    ),
    Operation("DELETE", TRANSACTION, WRITE, "Delete a transaction", _delete_transaction, Nothing, errors=_NOT_THERE),
)  # fmt: skip
"""The table of operations."""
