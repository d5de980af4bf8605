"""The calls that read: each a few lines, who asks, what for, in which shape."""

from processor.api.operations import Call, Operation
from processor.api.refusals import no_contact
from processor.api.tokens import READ
from processor.api.v3.addresses import CONTACT, CONTACTS
from processor.api.v3.answers import ContactPage, DirectoryPage, SingleContact, TransactionPage, WhoAmI
from processor.api.v3.asked import Search
from processor.api.v3.filters import parse_search
from processor.api.v3.paging import ContactsPaging, Pages, Paging
from processor.api.v3.shapes import contact_element, directory_element, single_contact, transaction_element
from processor.ports.queries import ContactRow

__all__ = ["READING", "contact_of"]


async def _whoami(call: Call) -> WhoAmI:
    """Any token may ask: clients test their set-up with it."""
    name = call.token.name
    return WhoAmI(
        brand_id="isthmus",
        user_id=f"UR_{name}",
        user_name=name,
        account_type="UT_isthmus",
        first_name=name,
        last_name="",
        email="",
        datacenter="isthmus",
    )


async def _list_directories(call: Call) -> DirectoryPage:
    """Those of the document; the first is the default."""
    counts = {row.id: row.contacts for row in await call.parts.queries.directories()}
    elements = [
        directory_element(directory, counts.get(directory.id, 0), default=place == 0)
        for place, directory in enumerate(call.compiled.directories.values())
    ]
    return DirectoryPage(elements=elements, next_page=None)


async def _list_contacts(call: Call) -> ContactPage:
    directory, pages = call.directory(), Pages(call)
    rows = await call.parts.queries.contacts(directory.id, pages.after_contact(), pages.limit)
    shown, next_page = pages.split(rows)
    elements = [contact_element(row, embedded=call.query.include_embedded) for row in shown]
    return ContactPage(elements=elements, next_page=next_page)


async def _search_contacts(call: Call) -> ContactPage:
    directory, pages = call.directory(), Pages(call)
    criteria = parse_search(call.body.filter)
    rows = await call.parts.queries.search(directory.id, criteria, pages.after_contact(), pages.limit)
    shown, next_page = pages.split(rows)
    elements = [contact_element(row, embedded=call.query.include_embedded) for row in shown]
    return ContactPage(elements=elements, next_page=next_page)


async def _get_contact(call: Call) -> SingleContact:
    return single_contact(await contact_of(call))


async def _list_transactions(call: Call) -> TransactionPage:
    pages, contact = Pages(call), await contact_of(call)
    rows = await call.parts.queries.transactions(contact.id, pages.after_transaction(), pages.limit)
    shown, next_page = pages.split(rows)
    return TransactionPage(elements=[transaction_element(row) for row in shown], next_page=next_page)


async def contact_of(call: Call) -> ContactRow:
    """The contact in the address. Raises ``RefusedError`` (404)."""
    directory = call.directory()
    row = await call.parts.queries.contact(call.contact(), directory.id)
    if row is None:
        raise no_contact()
    return row


READING = (
    Operation("GET", "/whoami", "", "Who the token is", _whoami, WhoAmI),
    Operation(
        "GET", "/directories", READ, "All directories", _list_directories, DirectoryPage, also=("/directories/",),
        gives={"directory": "/elements/0/directoryId"},
    ),
    Operation(
        "GET", CONTACTS, READ, "A page of contacts", _list_contacts, ContactPage, query=ContactsPaging,
        gives={"contact": "/elements/0/id"},
    ),
    Operation(
        "POST", f"{CONTACTS}/search", READ, "A page of the contacts that match", _search_contacts,
        ContactPage, query=ContactsPaging, body=Search,
    ),
    Operation("GET", CONTACT, READ, "One contact", _get_contact, SingleContact),
    Operation(
        "GET", f"{CONTACT}/transactions", READ, "A page of a contact's transactions, the oldest first",
        _list_transactions, TransactionPage, query=Paging, gives={"transaction": "/elements/0/transactionId"},
    ),
)  # fmt: skip
"""The table of operations."""
