"""Text to tokens, exactly as Segment's lexer cuts it, oddities included. Source: conformance/README.md, "Filters".

The oddities that matter to a reader of this file:
- ``and``, ``or``, ``null``, ``!=``, ``<=``, ``>=`` and a closing quote count only where a *terminator* follows
  (whitespace, ``,``, ``)``, ``]``, the end). A closing quote without one stays, and opens the next string.
- A keyword cut off by the end of the text loses its letters: ``an`` at the end is read as ``a``.
- There is no escape inside a string; outside, a backslash makes any one character part of a word.
"""

from dataclasses import dataclass
from typing import Literal

from processor.errors import FilterSyntaxError

__all__ = ["Token", "TokenKind", "lex"]

TokenKind = Literal[
    "ident", "dot", "operator", "conditional", "string", "number", "null",
    "brackleft", "brackright", "parenleft", "parenright", "comma", "eos",
]  # fmt: skip

_MOST = 100_000
"""Characters of one word, number or string. Source: Segment's lexer."""
_SPACE = frozenset(" \t\n")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DIGITS = frozenset("0123456789")
_WORD = _LETTERS | _DIGITS | frozenset("_-\\")
_TERMINATORS = _SPACE | frozenset(",])") | {""}
_AFTER_WORD = _TERMINATORS | frozenset(".(=!")
_SINGLE: dict[str, TokenKind] = {
    ".": "dot", "[": "brackleft", "]": "brackright", ",": "comma", "(": "parenleft", ")": "parenright",
}  # fmt: skip
_KEYWORDS: dict[str, tuple[str, TokenKind]] = {
    "a": ("and", "conditional"),
    "o": ("or", "conditional"),
    "n": ("null", "null"),
}
_HINTS = {
    "&": "write `and` instead of `&&`",
    "|": "write `or` instead of `||`",
    "\r": "remove the carriage return",
    ";": "write `and` instead of `;`",
    "*": "put the pattern into double quotes",
}


@dataclass(frozen=True, slots=True)
class Token:
    """One token. A string's ``value`` keeps its quotes; ``start`` to ``end`` is its place in the text."""

    kind: TokenKind
    value: str
    start: int
    end: int


def lex(text: str) -> list[Token]:
    """Every token of ``text``, ``eos`` last. Raises ``FilterSyntaxError`` where Segment's lexer gives up."""
    return _Lexer(text).run()


class _Lexer:
    """A cursor over the text; each ``_…`` method is called with the cursor behind the character it was chosen by."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def run(self) -> list[Token]:
        tokens: list[Token] = []
        while True:
            char = self._take()
            start = self.at - 1
            if not char:
                tokens.append(Token("eos", "eos", self.at, self.at))
                return tokens
            if char in _SPACE:
                continue
            kind, value = self._token(char)
            # A word whose tail was lost at the end of the text still ends where the cursor stands.
            end = start + len(value) if kind == "string" else self.at
            tokens.append(Token(kind, value, start, end))

    def _token(self, char: str) -> tuple[TokenKind, str]:
        if char == "!":
            return self._bang()
        if char in _LETTERS or char in "\\_":
            return self._word(char)
        if char in _DIGITS or char in "+-":
            return "number", self._number(char)
        if char in "=<>":
            joined = char != "=" and self._accept("=")
            return "operator", char + "=" if joined else char
        if char in "\"'":
            return "string", self._string(char)
        if char in _SINGLE:
            return _SINGLE[char], char
        hint = _HINTS.get(char, "put a text into double quotes, and a backslash before the character in a field's name")
        raise FilterSyntaxError(f"unexpected character {char!r}; {hint}", self.at - 1)

    def _bang(self) -> tuple[TokenKind, str]:
        following = self._peek()
        if following and (following in _LETTERS or following == "("):
            return "operator", "!"
        if self._accept("="):
            return "operator", "!="
        if following == "=":
            raise FilterSyntaxError("write a space after `!=`", self.at + 1)
        raise FilterSyntaxError("`!` stands directly before `contains(` or `match(`, without a space", self.at - 1)

    def _word(self, first: str) -> tuple[TokenKind, str]:
        if first in _KEYWORDS:
            keyword, kind = _KEYWORDS[first]
            if self._accept(keyword[1:]):
                return kind, keyword
        parts: list[str] = []
        char = first
        while True:
            if char == "\\":
                char = self._escaped()
            parts.append(char)
            if len(parts) >= _MOST:
                raise FilterSyntaxError("this word is too long", self.at)
            if (following := self._peek()) == "" or following not in _WORD:
                break
            char = self._take()
        if following not in _AFTER_WORD:
            raise FilterSyntaxError(self._after_word("".join(parts), following), self.at)
        return "ident", "".join(parts)

    def _escaped(self) -> str:
        char = self._take()
        if not char:
            raise FilterSyntaxError("a character must follow the backslash", self.at - 1)
        if ord(char) > 0xFFFF:  # two units for Segment, of which it takes only the first
            raise FilterSyntaxError("this character cannot be part of a field's name", self.at - 1)
        return char

    @staticmethod
    def _after_word(word: str, char: str) -> str:
        if char in "<>":
            return f"write a space before `{char}`"
        if char == "[" and word == "in":
            return "write a space between `in` and `[`"
        if char == "[":
            return "write `\\[0\\]` for an index, with a backslash before each bracket"
        return f"unexpected {char!r} in a word; write a backslash before it, or a space between the two"

    def _number(self, first: str) -> str:
        start = self.at - 1
        dotted = False
        while (char := self._peek()) and (char in _DIGITS or char == "."):
            self.at += 1
            if char == ".":
                if self._peek() in _TERMINATORS:
                    raise FilterSyntaxError("digits must follow the decimal point", self.at - 1)
                if dotted:
                    raise FilterSyntaxError("write one decimal point, or a text in double quotes", self.at - 1)
                dotted = True
            if self.at - start > _MOST:
                raise FilterSyntaxError("this number is too long", start)
        return first + self.text[start + 1 : self.at]

    def _string(self, quote: str) -> str:
        start = self.at
        end = self.text.find(quote, start)
        if end < 0:
            raise FilterSyntaxError(f"this text has no closing {quote}", start - 1)
        if end - start >= _MOST:
            raise FilterSyntaxError("this text is too long", start - 1)
        self.at = end
        self._accept(quote)
        return self.text[start - 1 : end + 1]

    def _accept(self, wanted: str) -> bool:
        """Step over ``wanted`` where a terminator follows it. At the end of the text what was read stays read."""
        start = self.at
        read = ""
        for _ in wanted:
            char = self._take()
            if not char:
                return False
            read += char
            if char in _TERMINATORS:
                break
        if read == wanted and self._peek() in _TERMINATORS:
            return True
        self.at = start
        return False

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _take(self) -> str:
        char = self.text[self.at : self.at + 1]
        self.at += len(char)
        return char
