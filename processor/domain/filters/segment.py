"""Tokens to a tree as Segment's action runtime reads them. Source: conformance/README.md, "Filters".

It never asks whether a text makes sense: it takes a field, then whatever two tokens follow as operator and value;
a group ends at the first ``)``; the last ``and`` or ``or`` of a level decides for all of it; what it does not know,
it drops. ``strict.py`` is where we refuse what this file accepts.
"""

from processor.domain.filters.lexer import Token, lex
from processor.domain.filters.tree import Broken, Condition, Group, Node, Verb
from processor.domain.filters.words import FUNCTIONS, ROOTS, comparison, field_of, joined, token_value
from processor.domain.mappings.javascript import printed
from processor.errors import FilterSyntaxError

__all__ = ["parse_segment"]

_INHERITED = frozenset(
    [
        "constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString",
        "valueOf", "__proto__", "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__",
    ]
)  # fmt: skip
"""Names that every JavaScript object has: Segment takes them for fields, eats two tokens and adds no condition."""
_TEXT_FIELDS = frozenset({"event", "name", "userId"})


def parse_segment(text: str) -> Node:
    """The tree of ``text``. Raises ``FilterSyntaxError`` where Segment's parser answers with an error."""
    node = _Level(joined(lex(text))).parse()
    if node is None:
        raise FilterSyntaxError("nothing in this filter is a condition that Segment knows", 0)
    return node


class _Level:
    """One level, which is the whole text or one group; it ends at ``eos``."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.nodes: list[Node | None] = []

    def parse(self) -> Node | None:
        joiner = "and"
        while (token := self._take()) is not None and token.kind != "eos":
            if token.kind == "ident":
                self._ident(token)
            elif token.kind == "operator" and token.value == "!":
                self._negation()
            elif token.kind == "parenleft":
                self._group(token)
            elif token.kind == "conditional":
                joiner = token.value
        if len(self.nodes) < 2:
            return self.nodes[0] if self.nodes else None
        nodes = tuple(Broken() if node is None else node for node in self.nodes)
        return Group("and" if joiner == "and" else "or", nodes, nodes[0].start, nodes[-1].end)

    def _take(self) -> Token | None:
        if self.at >= len(self.tokens):
            return None
        self.at += 1
        return self.tokens[self.at - 1]

    def _needed(self, what: str) -> Token:
        token = self._take()
        if token is None:
            raise FilterSyntaxError(f"{what} is missing", self.tokens[-1].end)
        return token

    def _ident(self, token: Token) -> None:
        name = token.value.partition(".")[0]
        root = ROOTS.get(name)
        if root is not None or name in _INHERITED:
            operator = self._needed("an operator")
            value = self._needed("a value")
            if root is not None:
                test = comparison(root, operator.value, value)
                self.nodes.append(field_of(root, token.value, test, (token.start, value.end)))
        if token.value in FUNCTIONS:
            self._function(token, negate=False)

    def _negation(self) -> None:
        following = self.tokens[self.at]
        if following.kind == "ident" and following.value in FUNCTIONS:
            self.at += 1
            self._function(following, negate=True)

    def _function(self, function: Token, *, negate: bool) -> None:
        self._take()
        field = self._needed(f"the first argument of {function.value}()")
        self._take()
        value = self._needed(f"the second argument of {function.value}()")
        last = self._take()
        verb, wanted = _test(function.value, value)
        if negate:
            verb = _NEGATED[verb]
        span = (function.start - negate, last.end if last else value.end)
        if field.value in _TEXT_FIELDS:
            self.nodes.append(Condition(ROOTS[field.value], (), verb, wanted, *span))
        for prefix in ("properties", "traits", "context"):
            if field.value.startswith(prefix):
                self.nodes.append(field_of(ROOTS[prefix], field.value, (verb, wanted), span))

    def _group(self, opening: Token) -> None:
        inner: list[Token] = []
        while (token := self._take()) is not None and token.kind != "parenright":
            inner.append(token)
        if token is None:
            raise FilterSyntaxError("this `(` has no `)`; groups do not nest in Segment's language", opening.start)
        inner.append(Token("eos", "eos", token.start, token.start))
        self.nodes.append(_Level(inner).parse())


_NEGATED: dict[Verb, Verb] = {
    "contains": "not_contains",
    "starts_with": "not_starts_with",
    "ends_with": "not_ends_with",
}


def _test(function: str, value: Token) -> tuple[Verb, str]:
    """What ``contains`` or ``match`` looks for: a pattern ending in a star is a prefix, any other a suffix."""
    text = printed(token_value(value))
    if function == "contains":
        return "contains", text
    if value.value.endswith('*"'):
        return "starts_with", text[:-1]
    if text[:1] > "\uffff":  # Segment cuts one of its two units
        return "ends_with", text[:1].encode("utf-16-le")[2:].decode("utf-16-le", "surrogatepass") + text[1:]
    return "ends_with", text[1:]
