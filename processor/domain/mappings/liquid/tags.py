"""The tags that Segment leaves on, as nodes of python-liquid with liquidjs's reading of what stands in them.

Off are case, for, include, layout, render and tablerow. Source: Segment's ``mapping-kit/liquid-directive``.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from liquid.ast import BlockNode, Node
from liquid.exceptions import StopRender
from liquid.parser import get_parser
from liquid.stream import TokenStream
from liquid.tag import Tag
from liquid.token import TOKEN_CONTENT, TOKEN_EOF, TOKEN_EXPRESSION, TOKEN_ILLEGAL, TOKEN_OUTPUT, Token

from processor.domain.mappings.javascript import MISSING, printed
from processor.domain.mappings.liquid.characters import SyntaxFault
from processor.domain.mappings.liquid.expressions import Evaluate, Known, Scanner
from processor.domain.mappings.liquid.filters import DISABLED_FILTERS
from processor.domain.mappings.liquid.tokens import line_tokens
from processor.domain.mappings.liquid.values import is_number, text, true_in_liquid

__all__ = ["DISABLED", "TAGS"]

DISABLED = ("case", "for", "include", "layout", "render", "tablerow")


class _Leaf(Node):
    """A node that writes what its expression gives."""

    __slots__ = ("evaluate",)

    def __init__(self, token: Token, evaluate: Evaluate) -> None:
        super().__init__(token)
        self.evaluate = evaluate

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        return context.write(buffer, text(self.evaluate(context), context))  # type: ignore[no-any-return]


class _Text(Node):
    """A node that writes a text of the template."""

    __slots__ = ("text",)

    def __init__(self, token: Token, content: str = "") -> None:
        super().__init__(token)
        self.text = content

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        return context.write(buffer, self.text)  # type: ignore[no-any-return]


class _Assign(_Leaf):
    __slots__ = ("name",)

    def __init__(self, token: Token, evaluate: Evaluate, name: str) -> None:
        super().__init__(token, evaluate)
        self.name = name

    def render_to_output(self, context: Any, _buffer: TextIO) -> int:
        context.assign(self.name, self.evaluate(context))
        return 0


class _Capture(Node):
    __slots__ = ("block", "name")

    def __init__(self, token: Token, name: str, block: BlockNode) -> None:
        super().__init__(token)
        self.name, self.block = name, block

    def render_to_output(self, context: Any, _buffer: TextIO) -> int:
        buffer = context.get_buffer()
        self.block.render(context, buffer)
        context.assign(self.name, buffer.getvalue())
        return 0


class _Choice(Node):
    """The first branch whose condition is true, else the last block."""

    __slots__ = ("branches", "otherwise")

    def __init__(
        self, token: Token, branches: Sequence[tuple[Evaluate, bool, BlockNode]], otherwise: BlockNode | None
    ) -> None:
        super().__init__(token)
        self.branches, self.otherwise = branches, otherwise

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        for condition, wanted, block in self.branches:
            if true_in_liquid(condition(context)) is wanted:
                return block.render(context, buffer)
        return self.otherwise.render(context, buffer) if self.otherwise is not None else 0


class _Count(Node):
    """``increment`` writes and then adds one, ``decrement`` takes one off and then writes."""

    __slots__ = ("name", "step")

    def __init__(self, token: Token, name: str, step: int) -> None:
        super().__init__(token)
        self.name, self.step = name, step

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        before = context.counted(self.name)
        before = before if is_number(before) else 0
        context.counters[self.name] = before + self.step
        return context.write(buffer, printed(before if self.step > 0 else before + self.step))  # type: ignore[no-any-return]


class _Cycle(Node):
    __slots__ = ("candidates", "group", "key")

    def __init__(self, token: Token, key: str, group: Evaluate | None, candidates: list[Evaluate]) -> None:
        super().__init__(token)
        self.key, self.group, self.candidates = key, group, candidates

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        group = text(self.group(context), context) if self.group is not None else MISSING
        index = context.cycle((group, self.key), len(self.candidates))
        return context.write(buffer, text(self.candidates[index](context), context))  # type: ignore[no-any-return]


class _Stop(Node):
    """``break`` and ``continue`` outside of a loop: nothing is written any more."""

    __slots__ = ()

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        raise StopRender


class _Tag(Tag):
    """A tag that reads its own expression."""

    block = False

    def scanner(self, stream: TokenStream) -> tuple[Token, Scanner]:
        """This tag's token, and what stands in it; the stream then stands at the last token of the two."""
        token = next(stream)
        inside = stream.expect(TOKEN_EXPRESSION)
        start = inside.start_index
        known = Known(self.env.filters, DISABLED_FILTERS, strict=self.env.strict_filters)
        return token, Scanner(inside.source, start, start + len(inside.value), known)

    def body(self, stream: TokenStream, token: Token, ends: Iterable[str]) -> BlockNode:
        """The nodes up to one of these tags, at which the stream then stands."""
        next(stream)
        block = get_parser(self.env).parse_block(stream, frozenset((*ends, TOKEN_EOF)))
        if stream.current.kind == TOKEN_EOF:
            raise SyntaxFault(f"{token.value} is not closed; write {{% end{token.value} %}}", token.start_index)
        return block


class _OutputTag(_Tag):
    name = TOKEN_OUTPUT

    def parse(self, stream: TokenStream) -> Node:
        token, scanner = self.scanner(stream)
        return _Leaf(token, scanner.filtered())


class _EchoTag(_Tag):
    name = "echo"

    def parse(self, stream: TokenStream) -> Node:
        token, scanner = self.scanner(stream)
        return _Text(token) if scanner.done() else _Leaf(token, scanner.filtered())


class _ContentTag(Tag):
    name = TOKEN_CONTENT
    block = False

    def parse(self, stream: TokenStream) -> Node:
        return _Text(stream.current, stream.current.value)


class _UnknownTag(Tag):
    name = TOKEN_ILLEGAL
    block = False

    def parse(self, stream: TokenStream) -> Node:
        token = stream.current
        why = "Segment has switched this tag off" if token.value in DISABLED else "there is no such tag"
        raise SyntaxFault(f"{token.value[:40]}: {why}; use one of {', '.join(_WRITTEN)}", token.start_index)


class _AssignTag(_Tag):
    name = "assign"

    def parse(self, stream: TokenStream) -> Node:
        token, scanner = self.scanner(stream)
        name = scanner.identifier()
        scanner.skip_blank()
        if not name or scanner.peek() != "=":
            raise scanner.fault("write {% assign name = value %}")
        scanner.at += 1
        return _Assign(token, scanner.filtered(), name)


class _CaptureTag(_Tag):
    name = "capture"

    def parse(self, stream: TokenStream) -> Node:
        token, scanner = self.scanner(stream)
        name = scanner.identifier()
        if not name:
            quoted = scanner.value() if scanner.peek() in ("'", '"') else None
            if quoted is None:
                raise scanner.fault("the name of what is captured is missing here")
            name = quoted(None)
        block = self.body(stream, token, ("endcapture",))
        next(stream)
        return _Capture(token, name, block)


class _CommentTag(_Tag):
    name = "comment"

    def parse(self, stream: TokenStream) -> Node:
        token = stream.current
        while not stream.current.is_tag("endcomment"):
            if next(stream).kind == TOKEN_EOF:
                raise SyntaxFault("this comment is not closed; write {% endcomment %}", token.start_index)
        next(stream)
        return _Text(token)


class _NoteTag(_Tag):
    name = "#"

    def parse(self, stream: TokenStream) -> Node:
        token, scanner = self.scanner(stream)
        lines = scanner.source[scanner.at : scanner.end].split("\n")[1:]
        if any(line.strip() and not line.strip().startswith("#") for line in lines):
            raise scanner.fault("begin every line of this comment with #")
        return _Text(token)


class _IfTag(_Tag):
    name = "if"
    wanted = True

    def parse(self, stream: TokenStream) -> Node:
        token, scanner = self.scanner(stream)
        end = f"end{self.name}"
        branches = [(scanner.filtered(), self.wanted, self.body(stream, token, ("elsif", "else", end)))]
        otherwise: BlockNode | None = None
        while not stream.current.is_tag(end):
            is_else = stream.current.is_tag("else")
            branch, scanner = self.scanner(stream)
            if otherwise is None and is_else:
                self._nothing_in(scanner)
                otherwise = self.body(stream, token, ("elsif", "else", end))
            elif otherwise is None:
                branches.append((scanner.filtered(), True, self.body(stream, token, ("elsif", "else", end))))
            elif self.wanted:
                raise SyntaxFault("nothing but {% endif %} follows {% else %}", branch.start_index)
            else:
                self.body(stream, token, ("elsif", "else", end))
        _, scanner = self.scanner(stream)
        self._nothing_in(scanner)
        return _Choice(token, branches, otherwise)

    def _nothing_in(self, scanner: Scanner) -> None:
        if self.wanted and scanner.at < scanner.end:
            raise scanner.fault("nothing stands in this tag; a condition belongs into elsif")


class _UnlessTag(_IfTag):
    name = "unless"
    wanted = False


class _IncrementTag(_Tag):
    name = "increment"
    step = 1

    def parse(self, stream: TokenStream) -> Node:
        token, scanner = self.scanner(stream)
        return _Count(token, scanner.identifier(), self.step)


class _DecrementTag(_IncrementTag):
    name = "decrement"
    step = -1


class _CycleTag(_Tag):
    name = "cycle"

    def parse(self, stream: TokenStream) -> Node:
        token, scanner = self.scanner(stream)
        start = scanner.at
        group = scanner.value()
        scanner.skip_blank()
        if group is not None and scanner.peek() == ":":
            scanner.at += 1
        else:
            group, scanner.at = None, start
        candidates: list[Evaluate] = []
        written: list[str] = []
        while scanner.at < scanner.end:
            start = scanner.at
            candidates.append(scanner.filtered())
            written.append(scanner.source[start : scanner.at])
            scanner.skip_behind(",")
        if not candidates:
            raise scanner.fault("write what to cycle through")
        return _Cycle(token, ",".join(written), group, candidates)


class _LiquidTag(_Tag):
    name = "liquid"

    def parse(self, stream: TokenStream) -> Node:
        _, scanner = self.scanner(stream)
        lines = TokenStream(line_tokens(scanner.source, scanner.at, scanner.end), block_depth_carry=stream.block_depth)
        return get_parser(self.env).parse_block(lines, frozenset())


class _BlockTag(_Tag):
    """A part that a layout could replace; there are no layouts here."""

    name = "block"

    def parse(self, stream: TokenStream) -> Node:
        token, _ = self.scanner(stream)
        block = self.body(stream, token, ("endblock",))
        next(stream)
        return block


class _BreakTag(_Tag):
    name = "break"

    def parse(self, stream: TokenStream) -> Node:
        token, _ = self.scanner(stream)
        return _Stop(token)


class _ContinueTag(_BreakTag):
    name = "continue"


_OWN: tuple[type[Tag], ...] = (
    _AssignTag, _BlockTag, _BreakTag, _CaptureTag, _CommentTag, _ContinueTag, _CycleTag, _DecrementTag, _EchoTag,
    _IfTag, _IncrementTag, _LiquidTag, _NoteTag, _UnlessTag,
)  # fmt: skip
_WRITTEN = sorted((*(tag.name for tag in _OWN), "raw"))
TAGS: tuple[type[Tag], ...] = (_OutputTag, _ContentTag, _UnknownTag, *_OWN)
