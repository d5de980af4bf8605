"""A template to a function of the event, bounded by counts."""

from collections.abc import Callable
from functools import cache
from typing import Any, cast

from liquid import BoundTemplate, Environment, RenderContext
from liquid.exceptions import BlockNestingError
from liquid.parser import get_parser
from liquid.stream import TokenStream

from processor.domain.mappings.allowance import CHARS, MOST
from processor.domain.mappings.contract import Payable, fail
from processor.domain.mappings.javascript import MISSING
from processor.domain.mappings.liquid.characters import SyntaxFault
from processor.domain.mappings.liquid.filters import FILTERS
from processor.domain.mappings.liquid.tags import TAGS
from processor.domain.mappings.liquid.tokens import tokens
from processor.errors import RejectedError

__all__ = ["TemplateError", "compile_template"]

TemplateError = SyntaxFault

_CHARS_A_STEP = 2**CHARS
"""What a rendering spends are characters read and written, its output and variables included; an item of a list counts
as several. Segment allows 500 ms and 1e8 bytes; a mapping's whole allowance is some 20 ms here, 1e6 characters."""

_BEGUN = 20
"""Steps of a rendering that does nothing: in the shape of an item there may be thousands."""


class _Buffer:
    """What is written so far; the context has counted it."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[str] = []

    def write(self, text: str) -> int:
        self._parts.append(text)
        return len(text)

    def getvalue(self) -> str:
        return "".join(self._parts)


class _Context(RenderContext):
    """What one rendering knows: its variables over the event's members, its counters, and the work that is left."""

    __slots__ = ("left",)

    def __init__(self, template: BoundTemplate, event: dict[str, Any], steps: int) -> None:
        super().__init__(template, globals=event)
        self.left: float = steps * _CHARS_A_STEP

    def spend(self, amount: float) -> None:
        self.left -= amount
        if not self.left >= 0:
            fail(f"this template reads and writes more than {MOST * _CHARS_A_STEP} characters")

    def variable(self, name: str) -> Any:
        if name in self.locals:
            return self.locals[name]
        return self.counted(name)

    def counted(self, name: str) -> Any:
        """A counter, or the event's member: in liquidjs they are the same."""
        return self.counters[name] if name in self.counters else self.globals.get(name, MISSING)

    def write(self, buffer: Any, text: str) -> int:
        self.spend(len(text))
        return buffer.write(text)  # type: ignore[no-any-return]

    def get_buffer(self, _buffer: Any = None) -> Any:
        return _Buffer()


class _Environment(Environment):
    block_nesting_limit = 64
    suppress_blank_control_flow_blocks = False

    def tokenizer(self) -> Any:
        return tokens

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        for tag in TAGS:
            self.add_tag(tag)
        self.filters.update(FILTERS)


@cache
def _environment(*, strict: bool) -> _Environment:
    return _Environment(strict_filters=strict)


def compile_template(source: str, allowance: Payable, *, strict: bool = False) -> Callable[[Any], str]:
    """Raises ``TemplateError`` for what liquidjs cannot read, with ``strict`` also for filters that it does not have
    or Segment has switched off; else the former change nothing and the latter reject the event when they are reached.
    The function raises ``RejectedError`` alone.
    """
    environment = _environment(strict=strict)
    try:
        template = BoundTemplate(environment, get_parser(environment).parse(TokenStream(tokens(source))))
    except BlockNestingError as error:
        raise SyntaxFault(f"at most {environment.block_nesting_limit} tags within each other", 0) from error

    def render(event: Any) -> str:
        allowance.spend(_BEGUN)
        context = _Context(template, event if type(event) is dict else {}, allowance.left)
        buffer = _Buffer()
        try:
            template.render_with_context(context, cast("Any", buffer))
        except RejectedError:
            raise
        except Exception:  # noqa: BLE001 - whatever else an event's values bring about
            fail("this template cannot work on what the event holds")
        allowance.left = int(context.left) // _CHARS_A_STEP
        return buffer.getvalue()

    return render
