"""The bytes of each element of an array, one after the other, as its sender wrote them.

Segment signs the first element's bytes alone, and an element that is bad must not spoil the others: so the array is
cut by brackets and quotes, without reading it, and each piece is parsed by itself. At most one piece is held.
"""

import re
from collections.abc import Iterator

__all__ = ["cut", "is_array", "is_closed"]

_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
# Each match is a run of anything that decides nothing, strings as wholes, up to the byte that does.
_BRACKETS = re.compile(rb'(?:[^"{}\[\]]++|' + _STRING + rb")*+([{}\[\]])", re.DOTALL)
_NEXT = re.compile(rb'(?:[^"{\[\],]++|' + _STRING + rb")*+([{\[\],])", re.DOTALL)
_BLANK = re.compile(rb"[ \t\r\n]*+")
_SPACE = b" \t\r\n"
_OPENING = b"{["
_COMMA, _END = b",]"


def is_array(body: bytes) -> bool:
    """Whether a JSON body is an array."""
    blank = _BLANK.match(body)
    return blank is not None and body[blank.end() : blank.end() + 1] == b"["


def cut(body: bytes, longest: int) -> Iterator[tuple[int, int]]:
    """Start and end of each element of the array that ``body`` is, without the blanks around.

    An element that goes on for more than ``longest`` bytes, or to the end of the body, is the last: it reaches as far
    as was looked. What is given is JSON only if the body is.
    """
    position = body.find(b"[") + 1
    while True:
        start = position
        end, position, last = _element(body, start, min(len(body), start + longest))
        piece = body[start:end]
        if piece.strip(_SPACE) or not last:
            yield start + len(piece) - len(piece.lstrip(_SPACE)), start + len(piece.rstrip(_SPACE))
        if last:
            return


def is_closed(body: bytes) -> bool:
    """Whether the body ends as an array does."""
    return body.rstrip(_SPACE).endswith(b"]")


def _element(body: bytes, start: int, limit: int) -> tuple[int, int, bool]:
    """Where the element ends, where the next one begins, and whether there is none."""
    position = start
    while True:
        token = _NEXT.match(body, position, limit)
        if token is None:
            return limit, limit, True
        last = token.end() - 1
        decides = body[last]
        if decides == _COMMA:
            return last, last + 1, False
        if decides == _END:
            return last, last + 1, True
        position = _closed(body, last, limit)


def _closed(body: bytes, start: int, limit: int) -> int:
    """Behind the bracket that closes the one at ``start``; ``limit`` where none does."""
    depth, position = 0, start
    # Not ``finditer``: where a string has no end, that would look from each byte anew.
    while (token := _BRACKETS.match(body, position, limit)) is not None:
        position = token.end()
        if body[position - 1] in _OPENING:
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                return position
    return limit
