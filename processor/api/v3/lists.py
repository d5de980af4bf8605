"""The calls about mailing lists: which there are, and who is in them.

Lists of the document are the document's to change; those made here live beside them.
"""

import re

from processor.api.bodies import beside
from processor.api.operations import Call, Operation
from processor.api.refusals import RefusedError, refused
from processor.api.tokens import READ, WRITE
from processor.api.v3.addresses import LIST, LISTS, MEMBER, MEMBERS
from processor.api.v3.answers import Made, Nothing
from processor.api.v3.asked import ListContactFields, MailingListFields
from processor.api.v3.contacts import sent
from processor.api.v3.list_answers import ListContact, ListContactPage, MadeInList, MailingListElement, MailingListPage
from processor.api.v3.list_shapes import list_contact, list_contact_element, mailing_list_element
from processor.api.v3.paging import Pages, Paging
from processor.api.writing import asking_of, write_one
from processor.config.directories import LIST_ID
from processor.domain.directory.command import Membership
from processor.domain.directory.from_request import contact_command
from processor.domain.directory.ids import cgc_contact, contact_cgc, contact_cid
from processor.ports.lists import MailingListRow, MemberRow

__all__ = ["MAILING_LISTS"]

_NO_LIST = "unknown_mailing_list"


async def _list_mailing_lists(call: Call) -> MailingListPage:
    directory, pages = call.directory(), Pages(call)
    rows = await call.parts.lists.mailing_lists(directory.id, pages.after_list(), pages.limit)
    shown, next_page = pages.split(rows)
    return MailingListPage(elements=[mailing_list_element(row) for row in shown], next_page=next_page)


async def _get_mailing_list(call: Call) -> MailingListElement:
    return mailing_list_element(await _list_of(call))


async def _create_mailing_list(call: Call) -> Made:
    return Made(id=await call.writer.create_list(call.directory().id, call.body.name))


async def _update_mailing_list(call: Call) -> Nothing:
    if not await call.writer.rename_list(call.directory().id, _list_id(call), call.body.name):
        raise _no_list()
    return Nothing()


async def _delete_mailing_list(call: Call) -> Nothing:
    if not await call.writer.delete_list(call.directory().id, _list_id(call)):
        raise _no_list()
    return Nothing()


async def _list_mailing_list_contacts(call: Call) -> ListContactPage:
    directory, pages = call.directory(), Pages(call)
    rows = await call.parts.lists.members(directory.id, _list_id(call), pages.after_contact(), pages.limit)
    if not rows:
        await _list_of(call)
    shown, next_page = pages.split(rows)
    return ListContactPage(elements=[list_contact_element(row) for row in shown], next_page=next_page)


async def _get_mailing_list_contact(call: Call) -> ListContact:
    return list_contact(await _member_of(call))


async def _create_mailing_list_contact(call: Call) -> MadeInList:
    """The contact is made, or found, as without a list."""
    asking, membership = asking_of(call), _membership(call)
    command = await beside(call.size, lambda: contact_command(asking, sent(call.body)))
    return _made(await write_one(call, command._replace(memberships=(membership,))))


async def _update_mailing_list_contact(call: Call) -> MadeInList:
    asking, membership = asking_of(call), _membership(call)
    contact = (await _member_of(call)).contact.id
    command = await beside(call.size, lambda: contact_command(asking, sent(call.body), contact))
    return _made(await write_one(call, command._replace(memberships=(membership,))))


async def _delete_mailing_list_contact(call: Call) -> Nothing:
    """Ends the membership; the contact stays in the directory."""
    member = await _member_of(call)
    if not await call.writer.leave_list(call.directory().id, _list_id(call), member.contact.id):
        raise _no_member()
    return Nothing()


async def _list_of(call: Call) -> MailingListRow:
    """The list in the address. Raises ``RefusedError`` (404)."""
    row = await call.parts.lists.mailing_list(call.directory().id, _list_id(call))
    if row is None:
        raise _no_list()
    return row


async def _member_of(call: Call) -> MemberRow:
    """The contact in the address, in the list in the address. Raises ``RefusedError`` (404)."""
    row = await call.parts.lists.member(call.directory().id, _list_id(call), _number(call))
    if row is None:
        await _list_of(call)
        raise _no_member()
    return row


def _membership(call: Call) -> Membership:
    return Membership(_list_id(call), call.body.mailing_list_unsubscribed)


def _made(contact: int) -> MadeInList:
    return MadeInList(id=contact_cid(contact), contact_lookup_id=contact_cgc(contact))


def _list_id(call: Call) -> str:
    id_ = call.path("list")
    if not re.fullmatch(LIST_ID, id_):
        raise _no_list()
    return id_


def _number(call: Call) -> int:
    """Either id of the contact is good: its own, or that within a list."""
    number = cgc_contact(call.path("contact"))
    return call.contact() if number is None else number


def _no_list() -> RefusedError:
    return refused(_NO_LIST, "No mailing list of this directory has this id.")


def _no_member() -> RefusedError:
    return refused("unknown_contact", "No contact of this mailing list has this id.")


_UNKNOWN = (_NO_LIST,)
_WRITES = (_NO_LIST, "value_too_long", "suppressed")

MAILING_LISTS = (
    Operation(
        "GET", LISTS, READ, "A page of mailing lists", _list_mailing_lists, MailingListPage, query=Paging,
        gives={"list": "/elements/0/mailingListId"},
    ),
    Operation(
        "POST", LISTS, WRITE, "Create a mailing list", _create_mailing_list, Made, body=MailingListFields,
        gives={"list": "/id"},
    ),
    Operation("GET", LIST, READ, "One mailing list", _get_mailing_list, MailingListElement, errors=_UNKNOWN),
    Operation(
        "PUT", LIST, WRITE, "Rename a mailing list that is not the document's", _update_mailing_list, Nothing,
        body=MailingListFields, errors=(_NO_LIST, "list_of_document"),
    ),
    Operation(
        "DELETE", LIST, WRITE, "Delete a mailing list that is not the document's; its contacts stay",
        _delete_mailing_list, Nothing, errors=(_NO_LIST, "list_of_document"),
    ),
    Operation(
        "GET", MEMBERS, READ, "A page of a mailing list's contacts", _list_mailing_list_contacts, ListContactPage,
        query=Paging, errors=_UNKNOWN, gives={"contact": "/elements/0/contactId"},
    ),
    Operation(
        "POST", MEMBERS, WRITE, "Put a contact into a mailing list: created, or found by the merge rules",
        _create_mailing_list_contact, MadeInList, body=ListContactFields, errors=_WRITES, repeatable=True,
        gives={"contact": "/id"},
    ),
    Operation(
        "GET", MEMBER, READ, "One contact of a mailing list", _get_mailing_list_contact, ListContact, errors=_UNKNOWN
    ),
    Operation(
        "PUT", MEMBER, WRITE, "Update a contact of a mailing list: what is sent, and no more",
        _update_mailing_list_contact, MadeInList, body=ListContactFields, errors=_WRITES, repeatable=True,
    ),
    Operation(
        "DELETE", MEMBER, WRITE, "Take a contact off a mailing list; it stays in the directory",
        _delete_mailing_list_contact, Nothing, errors=_UNKNOWN,
    ),
)  # fmt: skip
"""The table of operations."""
