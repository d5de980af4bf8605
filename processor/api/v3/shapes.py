"""Rows as Qualtrics' clients expect them. Source: spec/qualtrics-directory.md, sections 3, 4 and 6."""

from datetime import UTC, datetime
from typing import Any

from processor.api.v3.answers import (
    ContactElement,
    DeduplicationCriteria,
    DirectoryElement,
    SingleContact,
    TransactionElement,
)
from processor.domain.directory.ids import contact_cid, transaction_ctr
from processor.domain.rules import Directory
from processor.ports.queries import ContactRow, TransactionRow

__all__ = ["contact_element", "directory_element", "iso", "single_contact", "transaction_element"]


def directory_element(directory: Directory, contacts: int, *, default: bool) -> DirectoryElement:
    rule = directory.merge_rules[0] if directory.merge_rules else ()
    return DirectoryElement(
        directory_id=directory.id,
        name=directory.name,
        contact_count=contacts,
        is_default=default,
        deduplication_criteria=DeduplicationCriteria(
            email="email" in rule,
            first_name="firstName" in rule,
            last_name="lastName" in rule,
            external_data_reference="extRef" in rule,
            phone="phone" in rule,
        ),
    )


def contact_element(row: ContactRow, *, embedded: bool = True) -> ContactElement:
    """``embedded``: with the embedded data, which else are shown empty."""
    return ContactElement(**_contact(row, embedded=embedded))


def single_contact(row: ContactRow) -> SingleContact:
    cid = contact_cid(row.id)
    return SingleContact(contact_id=cid, phone=row.phone, ext_ref=row.ext_ref, **_contact(row, embedded=True))


def _contact(row: ContactRow, *, embedded: bool) -> dict[str, Any]:
    writer = row.writers.get("unsubscribed")
    return {
        "id": contact_cid(row.id),
        "creation_date": iso(row.created_at),
        "last_modified": iso(row.modified_at),
        "first_name": row.first_name,
        "last_name": row.last_name,
        "email": row.email,
        "phone_number": row.phone,
        "external_data_reference": row.ext_ref,
        "language": row.language,
        "unsubscribed": bool(row.unsubscribed),
        "unsubscribe_date": iso(writer.at) if row.unsubscribed and writer and writer.at else None,
        "embedded_data": dict(row.embedded) if embedded else {},
    }


def transaction_element(row: TransactionRow) -> TransactionElement:
    return TransactionElement(
        transaction_id=transaction_ctr(row.key),
        contact_id=contact_cid(row.contact),
        mailing_list_id=row.mailing_list,
        transaction_date=row.date.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "seconds"),
        data=dict(row.data),
    )


def iso(moment: datetime) -> str:
    """UTC, with milliseconds."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
