"""``@template``: a text with ``{{path}}`` placeholders.

Segment expands ``{{{path}}}`` first and then ``{{path}}`` in what came of it, so that a value which holds
``{{…}}`` is expanded again; the document's check refuses that form.
"""

from typing import Any

from processor.domain.mappings.allowance import CHARS
from processor.domain.mappings.contract import Builder, Checker, Constant, Directive, Payable, fail
from processor.domain.mappings.javascript import MISSING, get, printed, trim
from processor.domain.mappings.paths import Resolve, path_parts, reader

__all__ = ["TEMPLATE", "expanded_once"]


def _check(value: Any, checker: Checker) -> None:
    checker.text(value)
    if not checker.document:
        return
    if isinstance(value, dict):
        checker.fault("a directive here lets the event write placeholders; write the text with `{{x}}` in it")
    elif isinstance(value, str) and "{{{" in value:
        checker.fault("`{{{x}}}` expands what the event holds; write `{{x}}`")


def _build(value: Any, builder: Builder) -> Resolve:
    allowance = builder.allowance()
    text = builder.build(value)
    if isinstance(text, Constant):
        if isinstance(text.value, str):
            return _static(text.value, allowance, sure=builder.sure)
        return builder.failing("@template needs a text")

    def render(event: Any) -> Any:
        template = text(event)
        if type(template) is not str:
            fail("@template needs a text")
        return _expanded(_expanded(template, 3, event, allowance), 2, event, allowance)

    return render


def _static(template: str, allowance: Payable, *, sure: bool) -> Resolve:
    triples = _pieces(template, 3)
    parts = triples if len(triples) > 1 else _pieces(template, 2)
    if len(parts) == 1:
        return Constant(template)
    texts = tuple(parts[::2])
    reads = tuple(reader(path, sure=sure) for path in parts[1::2])

    def render(event: Any) -> str:
        out = [texts[0]]
        for read, text in zip(reads, texts[1:], strict=True):
            out.append(_shown(read(event), allowance))
            out.append(text)
        return "".join(out)

    if parts is not triples:
        return render
    return lambda event: _expanded(render(event), 2, event, allowance)


def expanded_once(template: str) -> str | None:
    """The text with ``{{x}}`` for every ``{{{x}}}``; ``None`` where that would not read the same paths."""
    parts = _pieces(template, 3)
    once = "".join(f"{{{{{part}}}}}" if index % 2 else part for index, part in enumerate(parts))
    wanted = [""]
    for index, part in enumerate(parts):
        first, *rest = ("", part, "") if index % 2 else _pieces(part, 2)
        wanted[-1] += first
        wanted += rest
    # Texts between placeholders meet where a value is empty, and must not open another one then.
    plain = "{{{" not in once and "{{" not in "".join(wanted[::2])
    return once if plain and _pieces(once, 2) == wanted else None


def _expanded(template: str, braces: int, event: Any, allowance: Payable) -> str:
    """In the template stands what an event holds, so that the paths too are to be paid for."""
    parts = _pieces(template, braces)
    allowance.spend((len(template) >> CHARS) + 2 * len(parts))
    for index in range(1, len(parts), 2):
        parts[index] = _shown(get(event, path_parts(parts[index])), allowance)
    return "".join(parts)


def _shown(value: Any, allowance: Payable) -> str:
    if type(value) is str:
        allowance.spend(len(value) >> CHARS)
        return value
    if type(value) is list:
        allowance.weigh(value)
    return "" if value is None or value is MISSING else printed(value)


def _pieces(template: str, braces: int) -> list[str]:
    """Text, path, text, path, … text. In linear time: a placeholder ends at the first ``}`` or is none."""
    opening, closing = "{" * braces, "}" * braces
    pieces: list[str] = []
    done = at = 0
    while (start := template.find(opening, at)) >= 0:
        end = template.find("}", start + braces)
        if end < 0:
            break
        if end > start + braces and template.startswith(closing, end):
            pieces += (template[done:start], trim(template[start + braces : end]))
            done = at = end + braces
        else:
            at = end
    pieces.append(template[done:])
    return pieces


TEMPLATE = Directive(_check, _build)
