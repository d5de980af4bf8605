"""What the API answers, by type, named as Qualtrics names it. Source: spec/qualtrics-directory.md, sections 1 to 6."""

from pydantic import Field

from processor.api.wire import Answer

__all__ = [
    "ContactElement",
    "ContactPage",
    "DeduplicationCriteria",
    "DirectoryElement",
    "DirectoryPage",
    "Made",
    "Nothing",
    "SingleContact",
    "TransactionElement",
    "TransactionPage",
    "TransactionsMade",
    "Unprocessed",
    "WhoAmI",
]


class Nothing(Answer):
    """An empty result: it is done, and there is nothing to say."""


class Made(Answer):
    """The id of what was made or changed."""

    id: str


class WhoAmI(Answer):
    """The token, in the fields of a user."""

    brand_id: str
    user_id: str
    user_name: str
    account_type: str
    first_name: str
    last_name: str
    email: str
    datacenter: str


class DeduplicationCriteria(Answer):
    """The fields of the first merge rule: the shape has no room for more."""

    email: bool
    first_name: bool
    last_name: bool
    external_data_reference: bool
    phone: bool


class DirectoryElement(Answer):
    directory_id: str
    name: str
    contact_count: int
    is_default: bool
    deduplication_criteria: DeduplicationCriteria


class DirectoryPage(Answer):
    elements: list[DirectoryElement]
    next_page: str | None


class ContactElement(Answer):
    """A contact in a list or a search. ``stats`` and ``segmentMembership`` are always empty."""

    id: str
    creation_date: str
    last_modified: str
    first_name: str | None
    last_name: str | None
    email: str | None
    phone_number: str | None
    external_data_reference: str | None
    language: str | None
    unsubscribed: bool
    unsubscribe_date: str | None
    stats: dict[str, str] = Field(default_factory=dict)
    embedded_data: dict[str, str]
    segment_membership: dict[str, str] = Field(default_factory=dict)


class SingleContact(ContactElement):
    """One contact: the names of the list and those of the write side, so that what was read can be sent back."""

    contact_id: str
    phone: str | None
    ext_ref: str | None


class ContactPage(Answer):
    elements: list[ContactElement]
    next_page: str | None


class TransactionElement(Answer):
    transaction_id: str
    contact_id: str
    mailing_list_id: str | None
    transaction_date: str
    data: dict[str, str]


class TransactionPage(Answer):
    elements: list[TransactionElement]
    next_page: str | None


class Unprocessed(Answer):
    """Why a transaction was not made: a code, and a sentence that says what would be right."""

    error: str
    error_message: str


class TransactionsMade(Answer):
    """Each key of the call stands in one of the two."""

    created_transactions: dict[str, Made]
    unprocessed_transactions: dict[str, Unprocessed]
