"""Rows as Qualtrics' clients expect them. Source: spec/qualtrics-directory.md, sections 3, 4 and 6."""

from collections.abc import Mapping
from datetime import UTC, datetime

from processor.domain.directory.ids import contact_cid, transaction_ctr
from processor.domain.rules import Directory
from processor.ports.queries import ContactRow, TransactionRow

__all__ = ["contact_element", "directory_element", "single_contact", "transaction_element"]

_CRITERIA = {
    "email": "email",
    "firstName": "firstName",
    "lastName": "lastName",
    "externalDataReference": "extRef",
    "phone": "phone",
}


def directory_element(directory: Directory, contacts: int, *, default: bool) -> Mapping[str, object]:
    """The booleans describe the first merge rule: the shape has no room for more."""
    rule = directory.merge_rules[0] if directory.merge_rules else ()
    return {
        "directoryId": directory.id,
        "name": directory.name,
        "contactCount": contacts,
        "isDefault": default,
        "deduplicationCriteria": {shown: field in rule for shown, field in _CRITERIA.items()},
    }


def contact_element(row: ContactRow) -> Mapping[str, object]:
    """A contact in a list or a search."""
    writer = row.writers.get("unsubscribed")
    return {
        "id": contact_cid(row.id),
        "creationDate": _iso(row.created_at),
        "lastModified": _iso(row.modified_at),
        "firstName": row.first_name,
        "lastName": row.last_name,
        "email": row.email,
        "phoneNumber": row.phone,
        "externalDataReference": row.ext_ref,
        "language": row.language,
        "unsubscribed": bool(row.unsubscribed),
        "unsubscribeDate": _iso(writer.at) if row.unsubscribed and writer and writer.at else None,
        "stats": {},
        "embeddedData": dict(row.embedded),
        "segmentMembership": {},
    }


def single_contact(row: ContactRow) -> Mapping[str, object]:
    """One contact: the names of the list and those of the write side, so that what was read can be sent back."""
    return {
        "contactId": contact_cid(row.id),
        **contact_element(row),
        "phone": row.phone,
        "extRef": row.ext_ref,
    }


def transaction_element(row: TransactionRow) -> Mapping[str, object]:
    return {
        "transactionId": transaction_ctr(row.key),
        "contactId": contact_cid(row.contact),
        "mailingListId": row.mailing_list,
        "transactionDate": row.date.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "seconds"),
        "data": dict(row.data),
    }


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
