"""Every code that the API refuses with, and the status of each: one table, which docs/api.md and the document show."""

from collections.abc import Mapping

from processor.errors import RejectedError

__all__ = ["STATUSES", "RefusedError", "no_contact", "refused", "spoken"]

STATUSES: Mapping[str, int] = {
    "QVAL_3": 400,
    "bad_encoding": 400,
    "bad_number": 400,
    "bad_text": 400,
    "no_matching_key": 400,
    "refused_by_database": 400,
    "too_deep": 400,
    "value_too_long": 400,
    "invalid_token": 401,
    "missing_scope": 403,
    "unknown_call": 404,
    "unknown_contact": 404,
    "unknown_directory": 404,
    "unknown_mailing_list": 404,
    "unknown_suppression": 404,
    "unknown_transaction": 404,
    "method_not_allowed": 405,
    "list_of_document": 409,
    "suppressed": 409,
    "too_large": 413,
    "too_many_requests": 429,
    "internal_error": 500,
    "postgres_away": 503,
    "unavailable": 503,
}
"""``QVAL_3`` is Qualtrics' own name of a bad request; all others are ours."""


class RefusedError(RejectedError):
    """A request that is answered with this status and code, and a sentence that says what would be right.

    ``details`` stand beside them in the answer, ``headers`` at its head.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code, message)
        self.status = status
        self.details = details or {}
        self.headers = headers or {}


def refused(code: str, message: str, headers: Mapping[str, str] | None = None) -> RefusedError:
    """The refusal of that code, with its status."""
    return RefusedError(STATUSES[code], code, message, headers=headers)


def no_contact() -> RefusedError:
    """Nobody has the id, or somebody of another directory."""
    return refused("unknown_contact", "No contact of this directory has this id.")


def spoken(message: str) -> str:
    """A reason as it stands in a dead letter, made a sentence; a name at its start stays as it is written."""
    first = message.partition(" ")[0]
    return (message[:1].upper() if first.islower() else message[:1]) + message[1:].removesuffix(".") + "."
