"""Filters of dates. There is no clock here: ``now`` is when the event was received, else when it happened."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from processor.domain.mappings.contract import fail
from processor.domain.mappings.javascript import MISSING, number_of, printed
from processor.domain.mappings.liquid.filters.moments import MONTHS, WEEKDAYS, Moment, read_moment
from processor.domain.mappings.liquid.values import Word, is_nil, is_number, plain, text, weigh

__all__ = ["DATES"]

_DEFAULT = "%A, %B %-e, %Y at %-l:%M %P %z"
_MARK = re.compile(r"%([-_0^#:]+)?([0-9]+)?([EO])?([^\n\r\u2028\u2029])")
_WIDTHS = {
    "C": 2, "d": 2, "e": 2, "H": 2, "I": 2, "j": 3, "k": 2, "l": 2, "L": 3, "m": 2, "M": 2, "S": 2, "U": 2, "W": 2,
    "y": 2, "Y": 4,
}  # fmt: skip
_PADDED_WITH_BLANKS = frozenset("aAbBceklpP")
_MARK_COST = 200
"""What one mark of a format costs, in characters."""
_WIDEST = 1_000_000
_LAST = 8.64e15
_ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}")


def _date(meter: Any, value: Any, pattern: Any = MISSING, zone: Any = MISSING, *_more: Any) -> Any:
    moment = _moment(meter, value, zone)
    if moment is None:
        return plain(value) if type(value) is not Word else value
    return _formatted(moment, _DEFAULT if is_nil(plain(pattern)) else text(pattern, meter), meter)


def _with(pattern: str) -> Callable[..., Any]:
    def apply(meter: Any, value: Any, *_given: Any) -> Any:
        return _date(meter, value, pattern)

    return apply


def _worded(month: str) -> Callable[..., Any]:
    def apply(meter: Any, value: Any, kind: Any = MISSING, style: Any = MISSING, *_more: Any) -> Any:
        if kind != "ordinal":
            return _date(meter, value, f"%d {month} %Y")
        return _date(meter, value, f"{month} %-d%q, %Y" if style == "US" else f"%-d%q {month} %Y")

    return apply


def _moment(meter: Any, value: Any, zone: Any) -> Moment | None:
    value = plain(value)
    weigh(value, meter)
    if value in ("now", "today"):
        value = meter.variable("receivedAt")
        value = meter.variable("timestamp") if is_nil(value) else value
    if is_number(value) or (type(value) is str and value.isascii() and value.isdecimal()):
        ms: float | None = number_of(value) * 1000
    elif type(value) is bool:
        ms = float(value)
    elif type(value) is str or type(value) is list:
        ms = read_moment(printed(value))
    else:
        ms = None
    if ms is None or not abs(ms) <= _LAST:
        return None
    return Moment(math.trunc(ms), 0, "") if type(zone) is Word else _placed(math.trunc(ms), zone, meter)


def _placed(ms: int, zone: Any, meter: Any) -> Moment | None:
    """A moment in a zone: a name, or minutes to add to reach UTC."""
    if is_nil(zone):
        return Moment(ms)
    if type(zone) is not str:
        minutes = number_of(zone) if type(zone) in (bool, int, float) else math.nan
        return Moment(ms, minutes, "") if abs(minutes) < 1e9 else None
    meter.spend(_MARK_COST)
    try:
        if not _ZONE_NAME.fullmatch(zone):
            raise ValueError(zone)
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
        ahead = moment.astimezone(ZoneInfo(zone)).utcoffset()
    except (ValueError, OverflowError, OSError, KeyError):
        fail("the date filter knows no time zone of this name")
    return Moment(ms, -(ahead or timedelta()).total_seconds() / 60, zone)


def _formatted(moment: Moment, pattern: str, meter: Any) -> str:
    out: list[str] = []
    done = 0
    for mark in _MARK.finditer(pattern):
        out.append(pattern[done : mark.start()])
        done = mark.end()
        meter.spend(_MARK_COST)
        out.append(_marked(moment, mark, meter))
    out.append(pattern[done:])
    return "".join(out)


def _marked(moment: Moment, mark: re.Match[str], meter: Any) -> str:
    flags, width, _, name = mark.groups()
    flags = flags or ""
    wanted = int(width) if width and len(width) < len(str(_WIDEST)) else (_WIDEST if width else 0)
    meter.spend(wanted)
    if name == "N":
        digits = wanted or 9
        shown = f"{moment.clock[3]:03d}"[:digits].ljust(digits, "0")
    elif name == "z" or name == "Z":
        shown = moment.zone if name == "Z" and moment.zone else _offset(moment, ":" if ":" in flags else "")
    else:
        value = _part(moment, name)
        if value is None:
            return mark.group()
        shown = value
    if "^" in flags:
        shown = shown.upper()
    elif "#" in flags:
        shown = shown.upper() if any("a" <= char <= "z" for char in shown) else shown.lower()
    fill = " " if "_" in flags or (name in _PADDED_WITH_BLANKS and "0" not in flags) else "0"
    wide = 0 if "-" in flags else wanted or _WIDTHS.get(name, 0)
    if fill == "0" and shown.startswith("-"):
        return "-" + shown[1:].rjust(wide - 1, fill)
    return shown.rjust(wide, fill)


def _part(moment: Moment, name: str) -> str | None:
    year, month, day = moment.date
    hour, minute, second, ms = moment.clock
    if name in _TEXTS:
        return _TEXTS[name](moment)
    numbers = {
        "C": year // 100, "d": day, "e": day, "H": hour, "I": hour % 12 or 12, "j": moment.day_of_year, "k": hour,
        "l": hour % 12 or 12, "L": ms, "m": month, "M": minute, "s": moment.ms // 1000, "S": second,
        "u": moment.weekday or 7, "U": _week(moment, 0), "w": moment.weekday, "W": _week(moment, 1),
        "y": year % 100, "Y": year,
    }  # fmt: skip
    return str(numbers[name]) if name in numbers else None


def _week(moment: Moment, first: int) -> int:
    """Days before the first ``first`` weekday of a year are in week 0."""
    return (moment.day_of_year - 1 - (moment.weekday - first) % 7 + 7) // 7


def _offset(moment: Moment, between: str) -> str:
    minutes = abs(moment.offset)
    return f"{'-' if moment.offset > 0 else '+'}{int(minutes // 60):02d}{between}{printed(minutes % 60).rjust(2, '0')}"


def _ordinal(moment: Moment) -> str:
    day = moment.date[2]
    return "th" if day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def _american_date(moment: Moment) -> str:
    year, month, day = moment.date
    return f"{month}/{day}/{year}"


def _american_time(moment: Moment) -> str:
    hour, minute, second, _ = moment.clock
    return f"{hour % 12 or 12}:{minute:02d}:{second:02d} {_half(moment)}"


def _half(moment: Moment) -> str:
    return "AM" if moment.clock[0] < 12 else "PM"


_TEXTS: Mapping[str, Callable[[Moment], str]] = {
    "a": lambda moment: WEEKDAYS[moment.weekday][:3],
    "A": lambda moment: WEEKDAYS[moment.weekday],
    "b": lambda moment: MONTHS[moment.date[1] - 1][:3],
    "B": lambda moment: MONTHS[moment.date[1] - 1],
    "c": lambda moment: f"{_american_date(moment)}, {_american_time(moment)}",
    "h": lambda moment: MONTHS[moment.date[1] - 1][:3],
    "n": lambda _moment: "\n",
    "p": _half,
    "P": lambda moment: _half(moment).lower(),
    "q": _ordinal,
    "t": lambda _moment: "\t",
    "x": _american_date,
    "X": _american_time,
    "%": lambda _moment: "%",
}

DATES: Mapping[str, Callable[..., Any]] = {
    "date": _date,
    "date_to_long_string": _worded("%B"),
    "date_to_rfc822": _with("%a, %d %b %Y %H:%M:%S %z"),
    "date_to_string": _worded("%b"),
    "date_to_xmlschema": _with("%Y-%m-%dT%H:%M:%S%:z"),
}
