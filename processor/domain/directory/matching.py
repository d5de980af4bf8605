"""How a person is found: the keys that a directory's merge rules make of field values.

AND inside a rule, OR between rules, in order; a rule with an empty field is skipped; text is compared trimmed and
without regard to case. Where no rule is complete, extRef is an implicit last one (design section 5).
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b

from processor.domain.directory.command import Value

__all__ = ["IMPLICIT", "MergeRules", "complete_rules", "guard_key", "lookup_keys", "ref_key", "stored_keys"]

MergeRules = Sequence[Sequence[str]]
IMPLICIT = ("extRef",)


def _key(rule: Sequence[str], values: Mapping[str, Value]) -> bytes | None:
    if len(rule) == 1:  # by far the most rules
        name = rule[0]
        value = values.get(name)
        return _hashed(name, value) if isinstance(value, str) else None
    parts = []
    for name in rule:
        value = values.get(name)
        if not isinstance(value, str):
            return None
        parts.append(value)
    return _hashed("\x1f".join(rule), *parts)


@lru_cache(maxsize=1 << 16)
def _hashed(names: str, *texts: str) -> bytes | None:
    """The key of a rule and its values. A person is met more than once: to be found, and when the row is locked.

    Names, not the rule's position: changing the order of rules changes no key. Source: schema section 4.
    """
    written = f"{names}\x1f"
    for text in texts:
        part = text.strip().casefold()
        if not part:
            return None
        written += f"\x1f{part}"
    return blake2b(written.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def lookup_keys(rules: MergeRules, values: Mapping[str, Value]) -> list[bytes]:
    """The keys to look for, the first that has a contact decides; empty: nobody can be found by these values."""
    keys = [key for rule in rules if (key := _key(rule, values)) is not None]
    if not keys and (key := _key(IMPLICIT, values)) is not None:
        keys.append(key)
    return keys


def ref_key(values: Mapping[str, Value]) -> bytes | None:
    """The key of extRef alone, by which everybody is found whatever the rules are; ``None`` without one."""
    return _key(IMPLICIT, values)


def guard_key(rules: MergeRules, values: Mapping[str, Value]) -> bytes | None:
    """``ref_key`` where ``lookup_keys`` of these rules leaves it out."""
    return None if IMPLICIT in rules else ref_key(values)


def complete_rules(rules: MergeRules, values: Mapping[str, Value]) -> list[tuple[str, ...]]:
    """The rules behind ``lookup_keys``, in the same order: for saying by which fields somebody would be found."""
    complete = [tuple(rule) for rule in rules if _key(rule, values) is not None]
    return complete or ([IMPLICIT] if _key(IMPLICIT, values) is not None else [])


def stored_keys(
    rules: MergeRules, values: Mapping[str, Value], known: Sequence[bytes] | None = None
) -> Sequence[bytes]:
    """The keys by which a contact with these values can be found: every complete rule's, and extRef's.

    ``known``: the ``lookup_keys`` of just these values, where they were made before.
    """
    keys = [key for rule in rules if (key := _key(rule, values)) is not None] if known is None else known
    if IMPLICIT in rules:
        return keys
    implicit = _key(IMPLICIT, values)
    return keys if implicit is None or implicit in keys else [*keys, implicit]
