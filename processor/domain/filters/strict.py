"""Tokens to a tree, refusing whatever Segment would read otherwise than it is written.

Grammar, over Segment's own tokens::

    all     = term { "and" term } | term { "or" term }        a comma is an "and"; no mixing without parentheses
    term    = "(" all ")" | test | subject operator value | choice | "!" "(" choice ")"
    test    = [ "!" ] ( "contains" | "match" | "glob" ) "(" subject "," text ")"
    choice  = subject "in" "[" literal { "," literal } "]" | literal "in" field
    subject = field | ( "length" | "lowercase" | "typeof" ) "(" field ")"

Each refusal names the place and says what to write instead. Groups may nest, and there are
``glob``, ``in`` and the functions of a field, none of which Segment's actions know.
"""

from dataclasses import replace
from itertools import pairwise

from processor.domain.filters.fields import TESTS, Subject, checked_field, refused, unknown_word
from processor.domain.filters.functions import VALUE_FUNCTIONS
from processor.domain.filters.globs import MOST_IN_FILTER, MOST_LOOSE_IN_FILTER, parse_glob
from processor.domain.filters.lexer import Token, lex
from processor.domain.filters.terms import choice_term, comparison_term, inclusion_term, negated, test_term
from processor.domain.filters.tree import Condition, Group, Node
from processor.domain.filters.words import ROOTS, joined

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
        self.globbed = 0
        self.loose = 0

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
        token, following = self.peek(), self.peek(1)
        if token.kind == "parenleft":
            return self._group(depth)
        if token.kind == "operator" and token.value == "!":
            return self._negated(depth)
        if token.kind == "ident" and token.value in TESTS and following.kind == "parenleft":
            return self._test(token)
        if self._subject_begins():
            return self._comparison()
        if following.kind == "ident" and following.value == "in" and token.kind in ("string", "number"):
            return self._inclusion()
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

    def _negated(self, depth: int) -> Node:
        first = self.take()
        name, following = self.peek(), self.peek(1)
        if name.kind == "ident" and name.value in TESTS and following.kind == "parenleft":
            return self._test(first)
        if name.kind == "parenleft" and following.kind in ("ident", "string", "number"):
            self.at += 1
            node = self._term(depth)
            closing = self.take()
            if isinstance(node, Condition) and node.verb in ("in", "includes") and closing.kind == "parenright":
                return replace(node, verb=negated(node.verb), start=first.start, end=closing.end)
        raise refused(
            first,
            "`!` works only before contains(, match(, glob( and `(… in …)`; write `!=`, or turn the condition round",
        )

    def _test(self, first: Token) -> Node:
        """``contains``, ``match`` or ``glob``, from ``first`` on: its name, or the ``!`` that was taken before it."""
        name = self.take()
        self.at += 1
        subject = self._subject()
        comma, value, closing = self.take(), self.take(), self.take()
        if (comma.kind, closing.kind) != ("comma", "parenright"):
            raise refused(name, f'write {name.value}(field, "text")')
        node = test_term((first, name, closing), subject, value)
        if name.value == "glob":
            self._count_glob(value)
        elif subject.function is None:
            self.function_end = self.at
        return node

    def _count_glob(self, value: Token) -> None:
        glob = parse_glob(value.value[1:-1])
        self.globbed += len(glob.pattern)
        self.loose += glob.loose
        if self.globbed > MOST_IN_FILTER or self.loose > MOST_LOOSE_IN_FILTER:
            raise refused(
                value,
                f"the globs of one filter have at most {MOST_IN_FILTER} characters, and {MOST_LOOSE_IN_FILTER} `?` and "
                "`[…]` behind a `*`; use contains( or match( for some, or make two mappings of it",
            )

    def _comparison(self) -> Node:
        subject, operator = self._subject(), self.take()
        if operator.kind == "ident" and operator.value == "in":
            values, end = self._list()
            return choice_term(subject, values, end)
        node = comparison_term(subject, operator, self.peek())
        self.at += 1
        return node

    def _inclusion(self) -> Node:
        value = self.take()
        self.at += 1
        if self.peek().kind == "brackleft":
            raise refused(value, "write a field before `in […]`")
        field = self.take()
        return inclusion_term(value, Subject(field, checked_field(self.text, field, self.peek()), None, field.start))

    def _list(self) -> tuple[list[Token], int]:
        """The values between brackets, and where the closing one ends."""
        opening = self.take()
        if opening.kind != "brackleft":
            raise refused(opening, 'write the values behind `in` between brackets: ["a", "b"]')
        values: list[Token] = []
        while True:
            value = self.take()
            if value.kind in ("comma", "brackright"):
                raise refused(value, f"a value is missing before `{value.value}`")
            values.append(value)
            separator = self.take()
            if separator.kind == "brackright":
                return values, separator.end
            if separator.kind == "eos":
                raise refused(opening, "this `[` has no `]`; write one")
            if separator.kind != "comma":
                raise refused(separator, "write a comma between the values")

    def _subject_begins(self) -> bool:
        token = self.peek()
        if token.kind != "ident":
            return False
        if token.value in VALUE_FUNCTIONS:
            return self.peek(1).kind == "parenleft"
        return token.value.partition(".")[0] in ROOTS

    def _subject(self) -> Subject:
        first = self.take()
        for function in VALUE_FUNCTIONS:
            if first.kind == "ident" and first.value == function and self.peek().kind == "parenleft":
                self.at += 1
                field = self.take()
                root = checked_field(self.text, field, self.peek())
                if self.take().kind != "parenright":
                    raise refused(first, f"write {function}(field), then an operator and a value")
                return Subject(field, root, function, first.start)
        return Subject(first, checked_field(self.text, first, self.peek()), None, first.start)
