"""Moments as JavaScript reads and counts them: milliseconds since 1970, local time UTC."""

import re
from dataclasses import dataclass, field
from functools import cached_property

from processor.domain.mappings.javascript import trim

__all__ = ["MONTHS", "WEEKDAYS", "Moment", "read_moment"]

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")

_DAY, _HOUR, _MINUTE = 86_400_000, 3_600_000, 60_000
_LAST = 8_640_000_000_000_000
"""The last millisecond. Source: ECMAScript, TimeClip."""
_LONGEST = 128
"""Characters of a moment's text; what is longer is none."""
_ISO = re.compile(
    r"([+-][0-9]{6}|[0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?",
)
_TOKEN = re.compile(r"[0-9]+|[A-Za-z]+|\([^()]*\)|\s+|.", re.DOTALL)
_CLOCK = re.compile(r"\s*([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2})(?:\.([0-9]+))?)?(?![0-9:.])")
_OFFSET = re.compile(r"([+-])([0-9]{1,2})(?::?([0-9]{2}))?(?![0-9:])")
_ZONES = {
    "utc": 0, "gmt": 0, "z": 0, "ut": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8,
    "pdt": -7,
}  # fmt: skip


@dataclass(frozen=True)
class Moment:
    """``ms`` since 1970; ``offset`` in minutes, as JavaScript counts it: minus one hour is ``+01:00``."""

    ms: int
    offset: float = 0
    zone: str = "UTC"

    @cached_property
    def shown(self) -> int:
        return self.ms - round(self.offset * _MINUTE)

    @cached_property
    def date(self) -> tuple[int, int, int]:
        return _civil(self.shown // _DAY)

    @property
    def weekday(self) -> int:
        return (self.shown // _DAY + 4) % 7

    @property
    def day_of_year(self) -> int:
        return self.shown // _DAY - _days(self.date[0], 1, 1) + 1

    @property
    def clock(self) -> tuple[int, int, int, int]:
        """Hour, minute, second, millisecond."""
        rest = self.shown % _DAY
        return rest // _HOUR, rest // _MINUTE % 60, rest // 1000 % 60, rest % 1000


def read_moment(text: str) -> int | None:
    """Milliseconds since 1970 of a text, as V8's ``Date`` reads it; without an offset it counts as UTC."""
    text = trim(text)
    if not text or len(text) > _LONGEST:
        return None
    iso = _ISO.fullmatch(text)
    ms = _from_iso(iso) if iso is not None else _from_words(text)
    return ms if ms is not None and abs(ms) <= _LAST else None


def _from_iso(found: re.Match[str]) -> int | None:
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    numbers = (int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0))
    ms = int((fraction or "0").ljust(3, "0")[:3])
    if year == "-000000" or (len(year) == 7 and " " in found.group()):
        return None
    offset = 0
    if zone and zone != "Z":
        hours, minutes = int(zone[1:3]), int(zone[4:6])
        if hours > 23 or minutes > 59:
            return None
        offset = (hours * 60 + minutes) * (-1 if zone[0] == "-" else 1)
    return _counted(int(year), numbers, ms, offset)


def _counted(year: int, numbers: tuple[int, int, int, int, int], ms: int, offset: int) -> int | None:
    month, day, hour, minute, second = numbers
    if not (1 <= month <= 12 and 1 <= day <= 31 and minute <= 59 and second <= 59):
        return None
    if hour > 24 or (hour == 24 and (minute or second or ms)):
        return None
    return _days(year, month, day) * _DAY + hour * _HOUR + (minute - offset) * _MINUTE + second * 1000 + ms


def _from_words(text: str) -> int | None:
    """What is no ISO 8601: ``Jan 5, 2024 10:00 PM``, ``Fri, 05 Jan 2024 10:00:00 +0200``, ``1/5/2024``."""
    words = _Words()
    at = 0
    while at < len(text):
        time = _CLOCK.match(text, at) if words.clock is None else None
        shift = _OFFSET.match(text, at) if words.clock is not None or words.offset is not None else None
        token = time or shift or _TOKEN.match(text, at)
        if token is None:
            return None
        at = token.end()
        if time is not None:
            words.set_clock(time)
        elif shift is not None:
            words.set_offset(shift)
        elif not words.take(token.group().lower(), before_digit=text[at : at + 1].isdecimal()):
            return None
    return _composed(words.days, words.month, _halved(words.clock, words.half), words.offset)


@dataclass(slots=True)
class _Words:
    """What has been read of a moment so far; ``half``: the hours to add for PM, 0 for AM."""

    days: list[int] = field(default_factory=list)
    month: int | None = None
    clock: tuple[int, int, int, int] | None = None
    offset: int | None = None
    half: int | None = None

    def set_clock(self, found: re.Match[str]) -> None:
        hour, minute, second, fraction = found.groups()
        self.clock = (int(hour), int(minute), int(second or 0), int((fraction or "0").ljust(3, "0")[:3]))

    def set_offset(self, found: re.Match[str]) -> None:
        sign, hours, minutes = found.groups()
        self.offset = (int(hours) * 60 + int(minutes or 0)) * (-1 if sign == "-" else 1)

    def take(self, word: str, *, before_digit: bool) -> bool:
        """Take a number, a word or a sign; false for what spoils the moment."""
        if word.isdecimal():
            self.days.append(int(word[:7]))
            return len(self.days) <= 3 and len(word) <= 6
        if not (word.isalpha() and word.isascii()):
            return not (word in "+-" and self.clock is not None)
        month = next((number for number, name in enumerate(MONTHS, 1) if word[:3] == name[:3].lower()), None)
        if month is not None:
            self.month = month
        elif word in ("am", "pm") and self.clock is not None:
            self.half = 12 if word == "pm" else 0
        elif word in _ZONES and self.days:
            self.offset = _ZONES[word] * 60
        else:
            return word == "t" or not (self.days or before_digit)
        return True


def _halved(clock: tuple[int, int, int, int] | None, half: int | None) -> tuple[int, int, int, int] | None:
    if clock is None:
        return (0, 0, 0, 0)
    if half is None:
        return clock
    hour, *rest = clock
    return (hour % 12 + half, rest[0], rest[1], rest[2]) if 0 <= hour <= 12 else None


def _composed(
    days: list[int], month: int | None, clock: tuple[int, int, int, int] | None, offset: int | None
) -> int | None:
    if not days or clock is None:
        return None
    first, second, third = (*days, 1, 1)[:3]
    first_is_day = 1 <= first <= 31
    if month is None:
        year, month, day = (third, first, second) if first_is_day else (first, second, third)
    else:
        day, year = (first, second) if first_is_day else (second, first)
    if 0 <= year <= 99:
        year += 2000 if year <= 49 else 1900
    return _counted(year, (month, day, *clock[:3]), clock[3], offset or 0)


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the Gregorian calendar; the year begins in March for the count."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def _civil(days: int) -> tuple[int, int, int]:
    """Year, month and day of so many days since 1970-01-01."""
    era, of_era = divmod(days + 719_468, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    return year + era * 400 + (month <= 2), month, day
