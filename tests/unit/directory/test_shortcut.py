"""The generated function of a usual mapping says what the plain path says, or leaves it to that."""

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.domain.actions import ACTIONS, resolve_fields, with_fallbacks
from processor.domain.directory.command import Command
from processor.domain.directory.from_payload import command_of
from processor.domain.directory.shortcut import compile_shortcut
from processor.domain.events.event import Event
from processor.domain.filters import compile_filter
from processor.domain.mappings import compile_mapping
from processor.domain.rules import Directory, Rule
from processor.errors import RejectedError

ACTION = ACTIONS["addContactToXmd"]
DIRECTORIES = {"POOL_1": Directory("POOL_1", "One", (("email", "phone"), ("email",), ("extRef",)))}
FIELDS = ("extRef", "email", "phone", "firstName", "lastName", "language")
USUAL = ("userId", "email", "traits.email", "traits.language", "traits.address.email", "context.traits.phone")
ODD = ("traits", "traits.email.length", "traits.address.0", "$", "", "traits.x")
CONSTANTS = ("", "EN", 'it\'s "1"\\\n', "x" * 129, "$.traits", "{{x}}")
TEXTS = ("", " Ann@X ", "ab", "EN", "u1", "x" * 128, "x" * 129, "é" * 300, "z" * 1025)
NO_TEXTS = (None, True, 0, 1.5, [], ["a"], {}, {"email": "b@x"})


class Maker:
    """Mappings and events that are mostly usual, each part odd now and then: else hardly one would get past both."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def odd(self) -> bool:
        return self.chance.random() < 0.1

    def value(self, depth: int = 0) -> Any:
        pick = self.chance.random()
        if pick < 0.1:
            return self.chance.choice(CONSTANTS)
        if pick < 0.6 or depth == 2:
            return {"@path": f"$.{self.chance.choice(ODD if self.odd() else USUAL)}"}
        exists = self.value(depth + 1)
        chosen = {"exists": exists, "then": self.value(depth + 1) if self.odd() else exists}
        if not self.odd():
            chosen["else"] = self.value(depth + 1)
        if self.odd():
            chosen["blank"] = chosen.pop("exists")
        return {"@if": chosen}

    def fields(self) -> dict[str, Any]:
        made: dict[str, Any] = {"directoryId": "POOL_2" if self.odd() else "POOL_1"}
        made |= {name: self.value() for name in self.chance.sample(FIELDS, self.chance.randrange(3))}
        if self.odd():
            made["unsubscribed"] = self.chance.choice([True, {"@path": "$.traits.email"}])
        if self.chance.random() < 0.5:
            names = self.chance.sample(["plan", "a'b", "n" * 200, "", "extRef"], 2) + ["n" * 201] * self.odd()
            made["embeddedData"] = {name: 7 if self.odd() else self.value() for name in names}
        elif self.odd():
            made["embeddedData"] = {"@path": "$.traits"}
        return made

    def leaf(self) -> Any:
        return self.chance.choice(NO_TEXTS if self.odd() else TEXTS[:6] if self.chance.random() < 0.8 else TEXTS)

    def traits(self) -> Any:
        if self.odd():
            return self.leaf()
        names = self.chance.sample(["email", "phone", "language", "firstName", "n" * 201], 2 + self.odd())
        address = {"address": {"email": self.leaf()} if self.chance.random() < 0.8 else self.leaf()}
        return {name: self.leaf() for name in names} | address

    def body(self) -> dict[str, Any]:
        made = {"userId": self.leaf(), "traits": self.traits()}
        if self.chance.random() < 0.3:
            made["context"] = self.leaf() if self.odd() else {"traits": self.traits()}
        return made | ({"email": self.leaf()} if self.odd() else {})


def rule_of(given_fields: dict[str, Any], creation_only: frozenset[str]) -> Rule:
    spec = with_fallbacks(ACTION, resolve_fields(ACTION, given_fields))
    return Rule(
        mapping="crm/contact",
        connection="crm",
        action=ACTION.name,
        enabled=True,
        sources=None,
        matches=compile_filter('type = "identify"'),
        payload=compile_mapping(spec),
        creation_only=creation_only,
        shortcut=compile_shortcut(spec, creation_only),
    )


def outcome(rule: Rule, body: dict[str, Any]) -> Command | tuple[str, str]:
    event = Event("web", "m-1", "identify", "", 1_800_000_000_000, body)
    try:
        return command_of(rule, event, DIRECTORIES)
    except RejectedError as error:
        return error.code, error.message


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_gives_what_the_plain_path_gives(seed: int) -> None:
    """Same values in the same order, same keys, same refusals, for usual and odd mappings and events."""
    make = Maker(seed)
    for _ in range(10):
        creation_only = frozenset(name for name in ("language", "unsubscribed") if not make.odd())
        rule = rule_of(make.fields(), creation_only)
        for body in [make.body() for _ in range(10)]:
            quick, plain = outcome(rule, body), outcome(replace(rule, shortcut=None), body)
            assert quick == plain
            if isinstance(quick, Command) and isinstance(plain, Command):
                assert list(quick.values) == list(plain.values)
                assert list(quick.initial) == list(plain.initial)


@pytest.mark.parametrize(
    ("given_fields", "usual"),
    [
        ({"directoryId": "POOL_1"}, True),
        ({"directoryId": "POOL_1", "embeddedData": {"plan": {"@path": "$.traits.plan"}, "from": "web"}}, True),
        ({"directoryId": "POOL_1", "embeddedData": {"@path": "$.traits"}}, True),
        ({"directoryId": {"@path": "$.traits.pool"}}, False),
        ({"directoryId": "POOL_1", "firstName": {"@template": "{{traits.name}}"}}, False),
        ({"directoryId": "POOL_1", "embeddedData": {"plan": {"@case": {"operator": "lower", "value": "A"}}}}, False),
    ],
)
def test_the_usual_mappings_have_one(given_fields: dict[str, Any], usual: bool) -> None:
    """The default mapping takes the quick way, and a usual event is not left to the plain path."""
    shortcut = rule_of(given_fields, frozenset(("language", "unsubscribed"))).shortcut
    assert (shortcut is not None) == usual
    if shortcut is not None:
        body = {"userId": "u", "traits": {"email": "a@x", "plan": 3}, "context": {"traits": {"phone": "1"}}}
        found = shortcut.person(body)
        assert found is not None
        assert found[0].items() >= {"extRef": "u", "email": "a@x", "phone": "1"}.items()
        assert found[1] == {"language": "EN", "unsubscribed": False}
