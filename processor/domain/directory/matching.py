"""How a person is found: the keys that a directory's merge rules make of field values.

AND inside a rule, OR between rules, in order; a rule with an empty field is skipped; text is compared trimmed and
without regard to case. Where no rule is complete, extRef is an implicit last one (design section 5).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import chain

from processor.domain.directory.command import Value

__all__ = [
    "IMPLICIT",
    "MergeRules",
    "complete_rules",
    "guard_key",
    "key_fields",
    "lookup_keys",
    "ref_key",
    "stored_keys",
]

MergeRules = Sequence[Sequence[str]]
IMPLICIT = ("extRef",)


_Maker = Callable[[Mapping[str, Value]], bytes | None]
"""Field values to the key of one rule; ``None`` where the rule has an empty field."""


def _maker(names: Sequence[str]) -> _Maker:
    """The hash of a rule's names is begun once and copied for each key, a third of the price of hashing anew.

    Names, not the rule's position: changing the order of rules changes no key. Source: schema section 4.
    No key is remembered: of 200,000 people a cache forgets most before they come again, and costs as much as a hash.
    """
    begun = blake2b(("\x1f".join(names) + "\x1f").encode(), digest_size=16)

    def one(values: Mapping[str, Value]) -> bytes | None:
        value = values.get(name)
        if type(value) is not str or not (part := value.strip().casefold()):
            return None
        key = begun.copy()
        key.update(("\x1f" + part).encode("utf-8", "surrogatepass"))
        return key.digest()

    def several(values: Mapping[str, Value]) -> bytes | None:
        written = ""
        for name in names:
            value = values.get(name)
            if type(value) is not str or not (part := value.strip().casefold()):
                return None
            written += "\x1f" + part
        key = begun.copy()
        key.update(written.encode("utf-8", "surrogatepass"))
        return key.digest()

    if len(names) > 1:
        return several
    (name,) = names  # by far the most rules
    return one


@lru_cache(maxsize=256)
def _made(rules: tuple[tuple[str, ...], ...]) -> tuple[_Maker, ...]:
    return tuple(map(_maker, rules))


def _makers(rules: MergeRules) -> tuple[_Maker, ...]:
    """The rules of a revision are tuples and always the same ones; others are made into such."""
    try:
        return _made(rules)
    except TypeError:
        return _made(tuple(map(tuple, rules)))


@lru_cache(maxsize=256)
def key_fields(rules: tuple[tuple[str, ...], ...]) -> frozenset[str]:
    """The fields of which the keys of these rules are made, extRef among them."""
    return frozenset(chain(IMPLICIT, *rules))


_implicit = _maker(IMPLICIT)


def lookup_keys(rules: MergeRules, values: Mapping[str, Value]) -> list[bytes]:
    """The keys to look for, the first that has a contact decides; empty: nobody can be found by these values."""
    keys = [key for make in _makers(rules) if (key := make(values)) is not None]
    if not keys and (key := _implicit(values)) is not None:
        keys.append(key)
    return keys


def ref_key(values: Mapping[str, Value]) -> bytes | None:
    """The key of extRef alone, by which everybody is found whatever the rules are; ``None`` without one."""
    return _implicit(values)


def guard_key(rules: MergeRules, values: Mapping[str, Value]) -> bytes | None:
    """``ref_key`` where ``lookup_keys`` of these rules leaves it out."""
    return None if IMPLICIT in rules else ref_key(values)


def complete_rules(rules: MergeRules, values: Mapping[str, Value]) -> list[tuple[str, ...]]:
    """The rules behind ``lookup_keys``, in the same order: for saying by which fields somebody would be found."""
    makers = zip(rules, _makers(rules), strict=True)
    complete = [tuple(rule) for rule, make in makers if make(values) is not None]
    return complete or ([IMPLICIT] if _implicit(values) is not None else [])


def stored_keys(
    rules: MergeRules, values: Mapping[str, Value], known: Sequence[bytes] | None = None
) -> Sequence[bytes]:
    """The keys by which a contact with these values can be found: every complete rule's, and extRef's.

    ``known``: the ``lookup_keys`` of just these values, where they were made before.
    """
    keys = [key for make in _makers(rules) if (key := make(values)) is not None] if known is None else known
    if IMPLICIT in rules:
        return keys
    implicit = _implicit(values)
    return keys if implicit is None or implicit in keys else [*keys, implicit]
