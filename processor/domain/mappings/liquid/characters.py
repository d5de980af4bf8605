"""The characters of a template: which are blank, which make names, how a quoted text ends and what it says."""

__all__ = ["BLANKS", "SyntaxFault", "end_of_quoted", "is_word", "unescaped"]

BLANKS = (
    "\t\n\v\f\r \u00a0\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029"
    "\u202f\u205f\u3000"
)
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class SyntaxFault(Exception):  # noqa: N818
    """A template that cannot be read; ``position`` counts characters from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


def is_word(char: str) -> bool:
    """Whether a character may stand in a name."""
    if char >= "\x80":
        return char not in BLANKS and char not in "\u201c\u201d"
    return char.isalnum() or char in "_-?"


def end_of_quoted(source: str, start: int, end: int) -> int:
    """Where a quoted text is over; it may be cut off by the end."""
    at = start + 1
    while at < end:
        char = source[at]
        at += 2 if char == "\\" else 1
        if char == source[start]:
            break
    return min(at, end)


def unescaped(quoted: str) -> str:
    out: list[str] = []
    at, end = 1, len(quoted) - 1
    while at < end:
        char = quoted[at]
        at += 1
        if char != "\\":
            out.append(char)
            continue
        mark = quoted[at : at + 1]
        at += 1
        if mark in _ESCAPES:
            out.append(_ESCAPES[mark])
        elif mark == "u" or (mark and mark in "01234567"):
            digits, base, longest = ("0123456789abcdefABCDEF", 16, 4) if mark == "u" else ("01234567", 8, 3)
            start = at if mark == "u" else at - 1
            at = start
            while at - start < longest and quoted[at : at + 1] and quoted[at] in digits:
                at += 1
            out.append(chr(int(quoted[start:at] or "0", base)))
        else:
            out.append(mark)
    return "".join(out)
