"""The date of a transaction."""

from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = ["read_date", "transaction_date"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LEAST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND
_MOST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND


def transaction_date(value: Any, default_ms: int) -> int:
    """Milliseconds since 1970, UTC, as ``read_date`` has it.

    ``default_ms`` for anything else: a date that is missing or unreadable is the caller's to choose.
    """
    read = read_date(value) if type(value) is str else None
    return default_ms if read is None else read


def read_date(text: str) -> int | None:
    """Milliseconds since 1970 of an ISO 8601 text or ``YYYY-MM-DD HH:MM:SS``, which is UTC; ``None``: it is none.

    A date that its offset moves out of the years 1 to 9999 is none: no column holds it.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    date = (moment - _EPOCH) // _MILLISECOND
    return date if _LEAST <= date <= _MOST else None
