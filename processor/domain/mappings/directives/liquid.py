"""``@liquid``: a text with Liquid in it, which sees the event's members as variables."""

from collections.abc import Callable
from typing import Any

from processor.domain.mappings.allowance import Allowance
from processor.domain.mappings.contract import Builder, Checker, Constant, Directive, Payable
from processor.domain.mappings.paths import Resolve

__all__ = ["LIQUID"]

_LONGEST = 1000
"""Characters of a template. Source: Segment's mapping kit."""


def _check(value: Any, checker: Checker) -> None:
    checker.plain_text(value)
    if not checker.document or not isinstance(value, str):
        return
    if len(value) > _LONGEST:
        checker.fault(f"write at most {_LONGEST} characters")
        return
    compiled = _compiled(value, Allowance(), strict=True)
    if isinstance(compiled, str):
        checker.fault(compiled)


def _build(value: Any, builder: Builder) -> Resolve:
    if not isinstance(value, str):
        return builder.failing("@liquid needs a text")
    if len(value) > _LONGEST:
        return builder.failing(f"@liquid takes at most {_LONGEST} characters")
    if "{{" not in value and "{%" not in value:
        return Constant(value)
    compiled = _compiled(value, builder.allowance())
    return builder.failing(compiled) if isinstance(compiled, str) else compiled


def _compiled(template: str, allowance: Payable, *, strict: bool = False) -> Callable[[Any], str] | str:
    """The function, or what is wrong with the template and where. Only here Liquid is loaded."""
    from processor.domain.mappings.liquid import TemplateError, compile_template

    try:
        return compile_template(template, allowance, strict=strict)
    except TemplateError as error:
        return f"at character {error.position + 1}: {error.message}"


LIQUID = Directive(_check, _build)
