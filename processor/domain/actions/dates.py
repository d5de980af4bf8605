"""The date of a transaction."""

from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = ["transaction_date"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def transaction_date(value: Any, default_ms: int) -> int:
    """Milliseconds since 1970, UTC, of an ISO 8601 text or ``YYYY-MM-DD HH:MM:SS``, which is UTC.

    ``default_ms`` for anything else: a date that is missing or unreadable is the caller's to choose.
    """
    if type(value) is not str:
        return default_ms
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return default_ms
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MILLISECOND
