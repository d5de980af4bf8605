"""The calls that write a contact. They go by the merge rules, or by the id in the address."""

from typing import Any

from processor.api.bodies import beside
from processor.api.operations import Call, Operation
from processor.api.refusals import no_contact
from processor.api.tokens import WRITE
from processor.api.v3.addresses import CONTACT, CONTACTS
from processor.api.v3.answers import Made, Nothing
from processor.api.v3.asked import ContactFields
from processor.api.writing import asking_of, write_one
from processor.domain.directory.from_request import contact_command
from processor.domain.directory.ids import contact_cid

__all__ = ["CONTACT_WRITES", "sent"]


def sent(fields: ContactFields) -> dict[str, Any]:
    """The fields that stood in the body, under their names there: an absent one is not the same as null."""
    return fields.model_dump(by_alias=True, exclude_unset=True)


async def _create_contact(call: Call) -> Made:
    """Somebody whom the merge rules find is updated instead, as in Qualtrics."""
    asking = asking_of(call)
    command = await beside(call.size, lambda: contact_command(asking, sent(call.body)))
    return Made(id=contact_cid(await write_one(call, command)))


async def _update_contact(call: Call) -> Made:
    """A contact that was merged away is its winner, whose id is answered."""
    asking, contact = asking_of(call), call.contact()
    command = await beside(call.size, lambda: contact_command(asking, sent(call.body), contact))
    return Made(id=contact_cid(await write_one(call, command)))


async def _delete_contact(call: Call) -> Nothing:
    """Whoever it was may come back: nothing is suppressed."""
    directory = call.directory()
    if await call.writer.delete_contact(directory.id, call.contact(), call.author) is None:
        raise no_contact()
    return Nothing()


CONTACT_WRITES = (
    Operation(
        "POST", CONTACTS, WRITE, "Create a contact, or update the one that the merge rules find", _create_contact,
        Made, body=ContactFields, errors=("value_too_long", "suppressed"), repeatable=True, gives={"contact": "/id"},
    ),
    Operation(
        "PUT", CONTACT, WRITE, "Update a contact: what is sent, and no more", _update_contact,
        Made, body=ContactFields, errors=("value_too_long", "suppressed"), repeatable=True,
    ),
    Operation(
        "DELETE", CONTACT, WRITE, "Delete a contact, its transactions and its memberships", _delete_contact, Nothing
    ),
)  # fmt: skip
"""The table of operations."""
