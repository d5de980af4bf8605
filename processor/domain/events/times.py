"""Moments as text and as milliseconds since 1970, UTC."""

from datetime import UTC, datetime
from functools import lru_cache

__all__ = ["format_ms", "parse_ms"]

_LONGEST = 64
"""Characters of a moment at most; longer text is none, and is not looked at."""
_LAST_MS = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z, the last moment that the text form can say."""

_FRACTIONS = tuple(f".{ms:03d}Z" for ms in range(1000))
_MILLISECONDS = {f".{ms:03d}{zone}": ms for ms in range(1000) for zone in ("Z", "+00:00")}


def parse_ms(text: object) -> int | None:
    """Milliseconds of an ISO-8601 moment, ``None`` for anything else. Without an offset it counts as UTC.

    Digits beyond the millisecond are cut off, not rounded.
    """
    if type(text) is not str or not 10 <= len(text) <= _LONGEST:
        return None
    # What the SDKs write, `….123Z` and `….123+00:00`: their seconds repeat, so they are remembered.
    ms = _MILLISECONDS.get(text[19:])
    if ms is None:
        return _parse_exactly(text)
    second = _parse_exactly(text[:19])
    return None if second is None else second + ms


@lru_cache(maxsize=4096)
def _parse_exactly(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        # Whole seconds are exact in a float; adding the fraction by integers keeps the millisecond exact.
        ms = int(moment.replace(microsecond=0).timestamp()) * 1000 + moment.microsecond // 1000
    except (ValueError, OverflowError):
        return None
    # An offset can carry the first and the last day out of what text can say.
    return ms if -62_135_596_800_000 <= ms <= _LAST_MS else None


def format_ms(ms: int) -> str:
    """``YYYY-MM-DDTHH:MM:SS.mmmZ``. Raises ``ValueError`` outside of the years 1 to 9999."""
    return _second(ms // 1000) + _FRACTIONS[ms % 1000]


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
    except (OverflowError, OSError) as error:
        raise ValueError(f"no such moment: {seconds} s") from error
