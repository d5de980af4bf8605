"""Tokens to a tree, refusing whatever Segment would read otherwise than it is written.

Grammar, over Segment's own tokens::

    all   = term { "and" term } | term { "or" term }       a comma is an "and"; no mixing without parentheses
    term  = "(" all ")" | [ "!" ] ( "contains" | "match" ) "(" field "," text ")" | field operator value

Each refusal names the place and says what to write instead. Groups may nest, which Segment refuses itself.
"""

from itertools import pairwise

from processor.domain.filters.fields import refused, unknown_word
from processor.domain.filters.lexer import Token, lex
from processor.domain.filters.terms import comparison_term, function_term
from processor.domain.filters.tree import Group, Node
from processor.domain.filters.words import FUNCTIONS, ROOTS, joined

__all__ = ["parse_strict"]

_DEEPEST = 64
"""Groups within groups."""


def parse_strict(text: str) -> Node:
    """The tree of ``text``. Raises ``FilterSyntaxError``."""
    tokens = joined(lex(text))
    _refuse_swallowed(tokens)
    parser = _Parser(text, tokens)
    node = parser.level(0)
    if (rest := parser.peek()).kind != "eos":
        raise refused(
            rest, "this `)` closes nothing; remove it" if rest.kind == "parenright" else "write `and` or `or` here"
        )
    return node


def _refuse_swallowed(tokens: list[Token]) -> None:
    for before, token in pairwise(tokens):
        if before.kind == token.kind == "string" and token.start < before.end:
            raise refused(token, "write a space after the closing quote; a text cannot hold its own quote, nor escapes")


class _Parser:
    """A cursor over the tokens of one filter."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self.text = text
        self.tokens = tokens
        self.at = 0
        self.function_end = -1

    def peek(self, ahead: int = 0) -> Token:
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def take(self) -> Token:
        token = self.peek()
        self.at += 1
        return token

    def level(self, depth: int) -> Node:
        """Terms up to the end of this level, joined by one word."""
        nodes = [self._term(depth)]
        chosen: str | None = None
        while (joiner := self._joiner()) is not None:
            word = joiner.value if joiner.kind == "conditional" else "and"
            if chosen is not None and word != chosen:
                raise refused(joiner, "`and` and `or` together need parentheses; put one of them into `( … )`")
            chosen = word
            self._refuse_after_function(joiner, depth)
            nodes.append(self._term(depth))
        if len(nodes) == 1:
            return nodes[0]
        return Group("or" if chosen == "or" else "and", tuple(nodes), nodes[0].start, nodes[-1].end)

    def _joiner(self) -> Token | None:
        token = self.peek()
        if token.kind in ("conditional", "comma"):
            return self.take()
        if token.kind in ("eos", "parenright"):
            return None
        if token.kind == "ident" and token.value.lower() in ("and", "or"):
            raise refused(token, f"write `{token.value.lower()}` in small letters")
        if token.kind == "ident" and self.tokens[self.at - 1].kind == "number":
            raise refused(token, "write the number in digits, with at most one point, or a text in double quotes")
        raise refused(token, "write `and` or `or` between conditions; a text of several words needs double quotes")

    def _refuse_after_function(self, joiner: Token, depth: int) -> None:
        """Inside a group Segment takes a function's ``)`` for the end of the group."""
        if depth and self.function_end == self.at - 1:
            raise refused(
                joiner, "Segment ends the group at the `)` before: contains() or match() goes last in its group"
            )

    def _term(self, depth: int) -> Node:
        token = self.peek()
        if token.kind == "parenleft":
            return self._group(depth)
        if token.kind == "operator" and token.value == "!":
            return self._function(negate=True)
        if token.kind == "ident" and token.value in FUNCTIONS and self.peek(1).kind == "parenleft":
            return self._function(negate=False)
        if token.kind == "ident" and token.value.partition(".")[0] in ROOTS:
            field, operator, value = self.take(), self.take(), self.peek()
            node = comparison_term(self.text, field, operator, value)
            self.at += 1
            return node
        if token.kind == "ident":
            raise refused(token, unknown_word(token.value))
        if token.kind == "eos":
            raise refused(token, 'a condition is missing here, for example `type = "track"`')
        if token.kind in ("conditional", "comma", "parenright"):
            raise refused(token, f"a condition is missing before `{token.value}`")
        raise refused(token, 'a condition begins with a field, for example `type = "track"`')

    def _group(self, depth: int) -> Node:
        opening = self.take()
        if depth == _DEEPEST:
            raise refused(opening, f"at most {_DEEPEST} groups within each other")
        node = self.level(depth + 1)
        if self.peek().kind != "parenright":
            raise refused(opening, "this `(` has no `)`; write one")
        self.take()
        return node

    def _function(self, *, negate: bool) -> Node:
        first = self.take() if negate else self.peek()
        name = self.peek()
        if name.kind != "ident" or name.value not in FUNCTIONS or self.peek(1).kind != "parenleft":
            raise refused(first, "`!` works only before contains( and match(; write `!=`, or turn the condition round")
        self.at += 2
        field, comma, value, closing = self.take(), self.take(), self.take(), self.take()
        self.function_end = self.at
        if (comma.kind, closing.kind) != ("comma", "parenright"):
            raise refused(name, f'write {name.value}(field, "text")')
        return function_term(self.text, (first, name, closing), field, value)
