"""The section ``directories``: where contacts are kept and how people are found in them."""

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from processor.config.faults import Findings, Path, nearest
from processor.config.shapes import Shape, items, load, unique
from processor.domain.directory.command import EMBEDDED, STANDARD_FIELDS
from processor.domain.rules import Directory

__all__ = ["LIST_ID", "POOL_ID", "TITLE", "read_directories"]

POOL_ID = r"^POOL_[A-Za-z0-9_-]{1,40}$"
LIST_ID = r"^CG_[A-Za-z0-9_-]{1,40}$"
_POOL_ADVICE = "POOL_ and 1 to 40 of A–Z a–z 0–9 _ -, such as POOL_customers"
_LIST_ADVICE = "CG_ and 1 to 40 of A–Z a–z 0–9 _ -, such as CG_all"
TITLE = r"^[^\x00-\x1f\x7f]{1,100}$"
"""The name of a directory or a list. Source: qualtrics-directory.md section 5."""
_MOST_RULES = 3
_LONGEST_NAME = 200
"""Characters of an embedded field's name. Source: qualtrics-directory.md section 5."""


class _Directory(Shape):
    later: ClassVar[frozenset[str]] = frozenset()

    id: str = Field(pattern=POOL_ID, description=_POOL_ADVICE)
    name: str = Field(pattern=TITLE, description="a name of 1 to 100 characters")
    merge_rules: Any = None
    default_mailing_list: str | None = Field(None, pattern=LIST_ID, description=_LIST_ADVICE)
    mailing_lists: Any = None
    stitch: bool = False
    create_unmatched: bool = False


class _MailingList(Shape):
    id: str = Field(pattern=LIST_ID, description=_LIST_ADVICE)
    name: str = Field(pattern=TITLE, description="a name of 1 to 100 characters")


def read_directories(data: Any, found: Findings) -> tuple[Directory, ...]:
    """Every directory that holds; what does not hold is in ``found``."""
    entries = items(data, ("directories",), found)
    unique("id", entries, found)
    directories = []
    for path, entry in entries:
        shape = load(_Directory, entry, path, found)
        raw = entry if isinstance(entry, dict) else {}
        merge_rules = _merge_rules(raw.get("merge_rules"), (*path, "merge_rules"), found)
        lists = _mailing_lists(raw.get("mailing_lists"), (*path, "mailing_lists"), found)
        if shape is None:
            continue
        default = shape.default_mailing_list
        if default is not None and default not in dict(lists):
            found.warn((*path, "default_mailing_list"), f"`{default}` is not among this directory's mailing_lists")
        directories.append(
            Directory(
                id=shape.id,
                name=shape.name,
                merge_rules=merge_rules,
                default_mailing_list=default,
                mailing_lists=lists,
                create_unmatched=shape.create_unmatched,
                stitch=shape.stitch,
            )
        )
    return tuple(directories)


def _merge_rules(data: Any, path: Path, found: Findings) -> tuple[tuple[str, ...], ...]:
    if data is None:
        return (("extRef",),)
    if not isinstance(data, list) or not 1 <= len(data) <= _MOST_RULES:
        found.fault(path, f"write 1 to {_MOST_RULES} lists of field names, such as [[extRef], [email]]")
        return ()
    rules = []
    for place, rule in enumerate(data):
        if not isinstance(rule, list) or not rule:
            found.fault((*path, place), "a merge rule is a list of field names, such as [email]")
            continue
        for position, name in enumerate(rule):
            _field(name, rule[:position], (*path, place, position), found)
        rules.append(tuple(str(name) for name in rule))
    if len(set(rules)) < len(rules):
        found.fault(path, "two merge rules are the same; write each once")
    return tuple(rules)


def _field(name: Any, before: Sequence[Any], path: Path, found: Findings) -> None:
    if not isinstance(name, str):
        found.fault(path, "write the name of a field, such as email")
    elif name in before:
        found.fault(path, f"`{name}` stands twice in this rule; write it once")
    elif name == "unsubscribed":
        found.fault(path, "an opt-out says nothing about who somebody is; name a field that holds text")
    elif name in STANDARD_FIELDS:
        return
    elif not name.startswith(EMBEDDED):
        hint = nearest(name, (*STANDARD_FIELDS, EMBEDDED + name))
        found.fault(path, f"no field of a contact; {hint}")
    elif not re.fullmatch(rf"[^\x00-\x1f\x7f]{{1,{_LONGEST_NAME}}}", name.removeprefix(EMBEDDED)):
        found.fault(path, f"the name of an embedded field has 1 to {_LONGEST_NAME} characters")


def _mailing_lists(data: Any, path: Path, found: Findings) -> tuple[tuple[str, str], ...]:
    entries = items(data, path, found)
    unique("id", entries, found)
    shapes = [load(_MailingList, entry, place, found) for place, entry in entries]
    return tuple((shape.id, shape.name) for shape in shapes if shape is not None)
