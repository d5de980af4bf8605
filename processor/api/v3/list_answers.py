"""What the API answers of mailing lists, by type, in the names of Qualtrics' API.

Source: spec/qualtrics-directory.md, sections 2, 3 and 5; the fields of a contact in a list as client code reads them.
"""

from processor.api.v3.answers import Made
from processor.api.wire import Answer

__all__ = [
    "ListContact",
    "ListContactElement",
    "ListContactPage",
    "MadeInList",
    "MailingListElement",
    "MailingListPage",
]


class MailingListElement(Answer):
    """A mailing list. Nobody owns one here, and when it was renamed is not kept: both are always null."""

    mailing_list_id: str
    name: str
    owner_id: str | None = None
    creation_date: str
    last_modified_date: str | None = None
    contact_count: int


class MailingListPage(Answer):
    elements: list[MailingListElement]
    next_page: str | None


class ListContactElement(Answer):
    """A contact in a list. ``unsubscribed`` is of the directory, ``mailingListUnsubscribed`` of this list alone."""

    contact_id: str
    contact_lookup_id: str
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    ext_ref: str | None
    language: str | None
    unsubscribed: bool
    mailing_list_unsubscribed: bool


class ListContact(ListContactElement):
    """One contact of a list."""

    creation_date: str
    last_modified: str
    embedded_data: dict[str, str]
    mailing_list_unsubscribe_date: str | None


class ListContactPage(Answer):
    elements: list[ListContactElement]
    next_page: str | None


class MadeInList(Made):
    """The contact, and the same within the list."""

    contact_lookup_id: str
