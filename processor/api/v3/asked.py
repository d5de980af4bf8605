"""What callers send, by type. Source: spec/qualtrics-directory.md, sections 3, 4 and 6."""

from typing import Annotated, Any

from pydantic import Field, RootModel, SkipValidation, StringConstraints, WithJsonSchema

from processor.api.v3.filters import FILTER_SCHEMA
from processor.api.wire import Asked
from processor.config.directories import TITLE

__all__ = [
    "MOST_TRANSACTIONS",
    "ContactFields",
    "ListContactFields",
    "MailingListFields",
    "Search",
    "TransactionChange",
    "TransactionFields",
    "Transactions",
]

MOST_TRANSACTIONS = 1_000
"""Of one call: our own bound, so that one transaction of the database stays short."""
_TEXT = "text of up to 512 bytes, or null, which clears the field; empty text is no value"
_DATA = "an object; values that are objects or lists are kept as their JSON text, null is no value"
_DATE = "YYYY-MM-DD HH:MM:SS in UTC, or ISO 8601 with an offset"


class Search(Asked):
    """A search: one filter, or two to five that all have to hold."""

    filter: Annotated[Any, WithJsonSchema(FILTER_SCHEMA)] = Field(description="a filter, or a conjunction of filters")


class ContactFields(Asked):
    """A contact as it is written. What is left out stays as it is."""

    ext_ref: str | None = Field(None, description=_TEXT)
    email: str | None = Field(None, description=_TEXT)
    phone: str | None = Field(None, description=_TEXT)
    first_name: str | None = Field(None, description=_TEXT)
    last_name: str | None = Field(None, description=_TEXT)
    language: str | None = Field(None, description=_TEXT)
    unsubscribed: bool | None = Field(None, description="true, false or null, which clears the field")
    embedded_data: dict[str, Any] | None = Field(
        None,
        description="an object; values that are objects or lists are kept as their JSON text, null clears a field,"
        " and a field whose name is over 200 characters or whose value is over 1024 is left out",
    )


class MailingListFields(Asked):
    """A mailing list as it is written."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, pattern=TITLE)] = Field(
        description="text of 1 to 100 characters, none of them a control character"
    )


class ListContactFields(ContactFields):
    """A contact as it is written into a mailing list."""

    mailing_list_unsubscribed: bool | None = Field(
        None, description="true or false: the opt-out of this list; null leaves it as it is"
    )


class TransactionFields(Asked):
    """One transaction as it is created. Without a date it happened now."""

    contact_id: str = Field(description="the id of a contact of the directory")
    mailing_list_id: str | None = Field(None, description="the id of a mailing list of the directory, or null")
    transaction_date: str | None = Field(None, description=_DATE)
    data: dict[str, Any] | None = Field(None, description=_DATA)


class Transactions(RootModel[dict[str, SkipValidation[TransactionFields]]]):
    """By a key of the caller's choice, under which the answer says what became of each: a row that is wrong stops
    no other, so they are looked at one by one."""

    root: dict[str, SkipValidation[TransactionFields]] = Field(max_length=MOST_TRANSACTIONS)


class TransactionChange(Asked):
    """What of a transaction is replaced. Its contact and its list may stand there, but cannot be changed."""

    transaction_date: str | None = Field(None, description=_DATE)
    data: dict[str, Any] | None = Field(None, description=_DATA)
    contact_id: str | None = Field(None, description="the contact that it has")
    mailing_list_id: str | None = Field(None, description="the mailing list that it has, or null")
