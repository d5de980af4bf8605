"""The texts and numbers of a strict filter: which of them can be compared with a field or with a function of it."""

import re

from processor.domain.filters.fields import TEXTS, Subject, refused
from processor.domain.filters.functions import TYPES
from processor.domain.filters.lexer import Token
from processor.domain.mappings.javascript import number_of

__all__ = ["check_lowercase", "check_made", "check_number", "check_quotes", "check_text", "list_value"]

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def list_value(value: Token, subject: Subject | None) -> str | float:
    """A value of a list, to be found equal to ``subject``; ``None`` for an item of a list in the event."""
    if value.kind == "null" or (value.kind == "ident" and value.value in ("true", "false")):
        raise refused(value, f"a list holds texts and numbers; join `… = {value.value}` by `or`")
    if value.kind == "ident":
        raise refused(value, "write the text in double quotes")
    if value.kind not in ("string", "number"):
        raise refused(value, "write a text in double quotes or a number")
    check_number(value)
    check_text(value)
    if subject is not None and subject.function is not None:
        check_made(subject, value)
    elif subject is not None and subject.root in TEXTS and value.kind == "number":
        raise refused(value, f'`{subject.root}` is a text; write "{value.value}" in double quotes')
    return value.value[1:-1] if value.kind == "string" else number_of(value.value)


def check_made(subject: Subject, value: Token) -> None:
    """Whether ``value`` is one that the subject's function can give at all."""
    if subject.function == "length":
        if value.kind != "number":
            raise refused(value, "length() gives a number; write one without quotes")
    elif value.kind != "string":
        example = "null" if value.kind == "null" else "…"
        raise refused(value, f'{subject.function}() gives a text; write one in double quotes, "{example}"')
    elif subject.function == "typeof" and value.value[1:-1] not in TYPES:
        raise refused(value, f"write one of the types {', '.join(TYPES)}, in double quotes")
    elif subject.function == "lowercase":
        check_lowercase(value)


def check_lowercase(value: Token) -> None:
    """A text with capitals is none that ``lowercase`` gives."""
    if value.value != value.value.lower():
        raise refused(value, f"lowercase() gives no capitals; write {value.value.lower()}")


def check_number(value: Token) -> None:
    """Digits with at most one point, and digits before it: the rest is read as something else."""
    if value.kind == "number" and not _NUMBER.fullmatch(value.value):
        raise refused(value, "write the number in digits, for example 0.5")


def check_quotes(value: Token) -> None:
    """Double quotes."""
    if value.kind == "string" and value.value[0] == "'":
        raise refused(value, "write double quotes; Segment takes single quotes for part of the text")


def check_text(value: Token) -> None:
    """Double quotes, and nothing that looks like an escape."""
    check_quotes(value)
    if value.kind == "string" and ("\\\\" in value.value or value.value[-2:-1] == "\\"):
        raise refused(value, "a text has no escapes, a backslash is a character of it; use {segment: …} if meant so")
