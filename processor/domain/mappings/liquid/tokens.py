"""A template cut into text, outputs and tags, as liquidjs cuts it, in the form that python-liquid parses."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from liquid.token import TOKEN_CONTENT, TOKEN_EXPRESSION, TOKEN_ILLEGAL, TOKEN_OUTPUT, TOKEN_TAG, Token

from processor.domain.mappings.liquid.characters import BLANKS, SyntaxFault, end_of_quoted, is_word

__all__ = ["line_tokens", "tokens"]

_ENDRAW = re.compile(rf"{{%[{BLANKS}]*endraw")
_NO_TAGS = frozenset((TOKEN_CONTENT, TOKEN_ILLEGAL, TOKEN_OUTPUT))
_OPENING = re.compile(r"\{\{|\{%")


@dataclass(slots=True)
class _Piece:
    """A stretch of the template: ``inner`` without marks and blanks; ``left`` and ``right``: it trims what is there."""

    kind: str
    start: int
    end: int
    name: str = ""
    left: bool = False
    right: bool = False


def tokens(source: str) -> Iterator[Token]:
    """Raises ``SyntaxFault``. An expression's token stands behind that of its tag or output, also an empty one."""
    pieces = list(_pieces(source))
    _trim(source, pieces)
    raw = False
    for piece in pieces:
        inner = source[piece.start : piece.end]
        if piece.kind == TOKEN_CONTENT:
            if inner:
                yield Token(TOKEN_CONTENT, inner, piece.start, source)
            continue
        if piece.name == "raw" or (raw and piece.name == "endraw"):
            raw = not raw
            continue
        yield Token(piece.kind, _tag_name(piece), piece.start, source)
        yield Token(TOKEN_EXPRESSION, inner, piece.start, source)


def line_tokens(source: str, start: int, end: int) -> Iterator[Token]:
    """The tags of a ``liquid`` tag, one a line."""
    at = start
    while at < end:
        if source[at] in BLANKS:
            at += 1
            continue
        behind = source.find("\n", at, end) + 1 or end
        piece = _with_name(source, _bare(TOKEN_TAG, source, at, behind))
        yield Token(TOKEN_TAG, _tag_name(piece), piece.start, source)
        yield Token(TOKEN_EXPRESSION, source[piece.start : piece.end], piece.start, source)
        at = behind


def _tag_name(piece: _Piece) -> str:
    """The name; python-liquid's own words for what is no tag are no tags here either."""
    return f" {piece.name}" if piece.name in _NO_TAGS else piece.name


def _pieces(source: str) -> Iterator[_Piece]:
    at = 0
    while at < len(source):
        opening = _OPENING.search(source, at)
        if opening is None:
            yield _Piece(TOKEN_CONTENT, at, len(source))
            return
        start = opening.start()
        if start > at:
            yield _Piece(TOKEN_CONTENT, at, start)
        if opening.group() == "{{":
            at = _end_of_output(source, start)
            yield _bare(TOKEN_OUTPUT, source, start + 2, at - 2)
            continue
        at = _end_of_tag(source, start)
        piece = _with_name(source, _bare(TOKEN_TAG, source, start + 2, at - 2))
        yield piece
        if piece.name == "raw":
            end, behind = _end_of_raw(source, at, start)
            yield _Piece(TOKEN_CONTENT, at, end)
            yield _with_name(source, _bare(TOKEN_TAG, source, end + 2, behind - 2))
            at = behind


def _end_of_output(source: str, start: int) -> int:
    at = start
    while at < len(source):
        if source[at] in "'\"":
            at = end_of_quoted(source, at, len(source))
            continue
        at += 1
        if source.startswith("}}", at - 2) and at - 2 >= start:
            return at
    raise SyntaxFault("this output is not closed; write }}", start)


def _end_of_tag(source: str, start: int) -> int:
    end = source.find("%}", start + 1)
    if end < 0:
        raise SyntaxFault("this tag is not closed; write %}", start)
    return end + 2


def _end_of_raw(source: str, at: int, start: int) -> tuple[int, int]:
    """Where raw text is over, and where its end tag is."""
    for found in _ENDRAW.finditer(source, at):
        behind = source[found.end() : found.end() + 1]
        closing, opening = source.find("%}", found.end()), source.find("{%", found.end())
        if not (behind and is_word(behind)) and closing >= 0 and (opening < 0 or closing < opening):
            return found.start(), closing + 2
    raise SyntaxFault("this raw tag is not closed; write {% endraw %}", start)


def _bare(kind: str, source: str, start: int, end: int) -> _Piece:
    left, right = source.startswith("-", start), end > 0 and source[end - 1] == "-"
    start, end = start + left, end - right
    while start < end and source[start] in BLANKS:
        start += 1
    while end > start and source[end - 1] in BLANKS:
        end -= 1
    return _Piece(kind, start, max(start, end), left=left, right=right)


def _with_name(source: str, piece: _Piece) -> _Piece:
    at = piece.start
    if source.startswith("#", at, piece.end):
        at += 1
    else:
        while at < piece.end and is_word(source[at]):
            at += 1
    piece.name = source[piece.start : at]
    if not piece.name:
        raise SyntaxFault("the name of a tag is missing here", piece.start)
    while at < piece.end and source[at] in BLANKS:
        at += 1
    piece.start = at
    return piece


def _trim(source: str, pieces: list[_Piece]) -> None:
    """``{%-`` takes away the white space before it, ``-%}`` that behind it; in raw text it stays."""
    raw = False
    for index, piece in enumerate(pieces):
        if piece.kind == TOKEN_CONTENT:
            continue
        if piece.left and not raw and index and pieces[index - 1].kind == TOKEN_CONTENT:
            before = pieces[index - 1]
            while before.end > before.start and source[before.end - 1] in BLANKS:
                before.end -= 1
        if piece.kind == TOKEN_TAG and piece.name in ("raw", "endraw"):
            raw = piece.name == "raw"
        if piece.right and not raw and index + 1 < len(pieces) and pieces[index + 1].kind == TOKEN_CONTENT:
            behind = pieces[index + 1]
            while behind.start < behind.end and source[behind.start] in BLANKS:
                behind.start += 1
