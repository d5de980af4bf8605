r"""Globs: a pattern of ``*``, ``?`` and ``[…]`` to a test of a whole text, in time linear in the text.

Grammar::

    glob  = { "*" | "?" | class | "\" char | char }
    class = "[" [ "^" ] member { member } "]"
    member = one [ "-" one ]            with one = "\" char | char except [ ] \

A filter's texts have no escapes, so a backslash in a pattern is the glob's own: it makes the next character plain.
Source: Segment, "Destination Filter Query Language", `match( string, pattern )`; ``[^…]`` is ours.
"""

from collections.abc import Callable
from dataclasses import dataclass

from processor.errors import FilterSyntaxError

__all__ = ["MOST_IN_FILTER", "MOST_LOOSE_IN_FILTER", "Glob", "matcher", "parse_glob"]

_MOST = 100
"""Characters of a pattern."""
_MOST_LOOSE = 8
"""``?`` and classes behind a pattern's first star: re2 may need 2 to their power of states, each made once."""
MOST_IN_FILTER = 1_000
"""Characters of all patterns of one filter. An event is matched by every one of them, 0.3 ms for 32 KB each."""
MOST_LOOSE_IN_FILTER = 24
"""Loose ones of all patterns of one filter: eight of them cost at most 8 ms for 32 KB (measured, worst of 30,000)."""
_MEMORY = 2 << 20
"""Bytes of one pattern's states. Beyond it re2 forgets and goes on; a program of 100 characters is far below."""


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern that is one. ``regex`` is ASCII; ``loose`` counts ``?`` and classes behind the first star."""

    pattern: str
    regex: str
    loose: int


def parse_glob(pattern: str, at: int = 0) -> Glob:
    """Raises ``FilterSyntaxError`` with the place in the pattern, counted from ``at``."""
    return _Parser(pattern, at).parse()


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a whole text is as the pattern says; ``*`` and ``?`` take line breaks too."""
    glob = parse_glob(pattern)
    import re2  # a process without a glob needs none

    options = re2.Options()
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = _MEMORY
    fullmatch = re2.compile(glob.regex.encode(), options).fullmatch

    def matches(text: str) -> bool:
        try:
            encoded = text.encode()
        except UnicodeEncodeError:  # half a character is one character, and like no other
            encoded = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
        return fullmatch(encoded) is not None

    return matches


class _Parser:
    """A cursor over the pattern."""

    def __init__(self, pattern: str, at: int) -> None:
        self.pattern = pattern
        self.offset = at
        self.at = 0
        self.loose = 0
        self.starred = False

    def parse(self) -> Glob:
        if len(self.pattern) > _MOST:
            raise FilterSyntaxError(f"a glob has at most {_MOST} characters; write a shorter one", self.offset)
        parts: list[str] = []
        while self.at < len(self.pattern):
            part = self._part()
            if part != ".*" or parts[-1:] != [".*"]:
                parts.append(part)
        if self.loose > _MOST_LOOSE:
            raise FilterSyntaxError(
                f"at most {_MOST_LOOSE} `?` and `[…]` behind the first `*` of a glob; write a simpler one", self.offset
            )
        return Glob(self.pattern, "".join(parts), self.loose)

    def _part(self) -> str:
        char = self._take()
        if char == "*":
            self.starred = True
            return ".*"
        if char == "?":
            self.loose += self.starred
            return "."
        if char == "[":
            self.loose += self.starred
            return self._class()
        if char == "\\":
            return _plain(self._escaped())
        if char in "{}":
            raise self._refused(f"braces are no part of a glob; write conditions joined by `or`, or `\\{char}`")
        return _plain(self._whole(char))

    def _class(self) -> str:
        start = self.at - 1
        negated = self._peek() == "^"
        if negated:
            self.at += 1
        elif self._peek() == "!":
            raise self._refused("write `[^…]` for any other character, `\\!` for the character", 0)
        members: list[str] = []
        while (char := self._peek()) != "]":
            if not char:
                raise FilterSyntaxError("this `[` has no `]`; write one, or `\\[`", self.offset + start)
            members.append(self._member(first=not members))
        self.at += 1
        if not members:
            raise FilterSyntaxError(
                "there is no character between these brackets; write `\\[` and `\\]`", self.offset + start
            )
        return f"[{'^' if negated else ''}{''.join(members)}]"

    def _member(self, *, first: bool) -> str:
        if self._peek() == "-" and not first and self.pattern[self.at + 1 : self.at + 2] != "]":
            raise self._refused("write `\\-` for a hyphen between other characters", 0)
        low = self._one()
        if self._peek() != "-" or self.pattern[self.at + 1 : self.at + 2] in ("]", ""):
            return _plain(low)
        self.at += 1
        high = self._one()
        if high < low:
            raise self._refused(f"this range goes backwards; write `{high}-{low}`")
        return f"{_plain(low)}-{_plain(high)}"

    def _one(self) -> str:
        char = self._take()
        if char == "\\":
            return self._escaped()
        if char == "[":
            raise self._refused("write `\\[` between brackets")
        return self._whole(char)

    def _escaped(self) -> str:
        if not self._peek():
            raise self._refused("a character must follow the backslash; write `\\\\` for a backslash")
        return self._whole(self._take())

    def _whole(self, char: str) -> str:
        if "\ud800" <= char <= "\udfff":
            raise self._refused("this is half a character; write `?`")
        return char

    def _refused(self, message: str, back: int = 1) -> FilterSyntaxError:
        return FilterSyntaxError(message, self.offset + self.at - back)

    def _peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def _take(self) -> str:
        char = self._peek()
        self.at += len(char)
        return char


def _plain(char: str) -> str:
    return char if char.isascii() and char.isalnum() else f"\\x{{{ord(char):x}}}"
