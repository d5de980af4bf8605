"""Rows of mailing lists as Qualtrics' clients expect them."""

from typing import Any

from processor.api.v3.list_answers import ListContact, ListContactElement, MailingListElement
from processor.api.v3.shapes import iso
from processor.domain.directory.ids import contact_cgc, contact_cid
from processor.ports.lists import MailingListRow, MemberRow

__all__ = ["list_contact", "list_contact_element", "mailing_list_element"]


def mailing_list_element(row: MailingListRow) -> MailingListElement:
    return MailingListElement(
        mailing_list_id=row.id, name=row.name, creation_date=iso(row.created_at), contact_count=row.members
    )


def list_contact_element(row: MemberRow) -> ListContactElement:
    return ListContactElement(**_contact(row))


def list_contact(row: MemberRow) -> ListContact:
    return ListContact(
        creation_date=iso(row.contact.created_at),
        last_modified=iso(row.contact.modified_at),
        embedded_data=dict(row.contact.embedded),
        mailing_list_unsubscribe_date=iso(row.unsubscribed_at) if row.unsubscribed and row.unsubscribed_at else None,
        **_contact(row),
    )


def _contact(row: MemberRow) -> dict[str, Any]:
    contact = row.contact
    return {
        "contact_id": contact_cid(contact.id),
        "contact_lookup_id": contact_cgc(contact.id),
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "email": contact.email,
        "phone": contact.phone,
        "ext_ref": contact.ext_ref,
        "language": contact.language,
        "unsubscribed": bool(contact.unsubscribed),
        "mailing_list_unsubscribed": row.unsubscribed,
    }
