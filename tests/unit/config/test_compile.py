"""What decisions get of a document."""

from pathlib import Path

import pytest

from processor.config import Secrets, check, compile_document, mask, write_keys
from processor.domain.mappings import MISSING
from processor.domain.rules import Directory
from processor.ports.revisions import Limits
from processor.settings import Settings

DOCUMENT = """\
version: 1
api_tokens: [{name: ops, token: {env: T}}, {name: read, token: t2, scopes: [directory:read]}]
directories:
  - {id: POOL_a, name: NO}
  - id: POOL_b
    name: B
    merge_rules: [[email, embeddedData.shop], [extRef]]
    default_mailing_list: CG_x
    mailing_lists: [{id: CG_x, name: X}]
    create_unmatched: true
sources: [{id: web, write_key: k}, {id: own, write_key: l, accept_own: true}]
connections:
  - name: crm
    sources: [web, kafka]
    mappings:
      - {name: contact, action: addContactToXmd, fields: {directoryId: POOL_a, phone: null, language: DE}}
      - name: buy
        id: kept
        enabled: false
        action: upsertContactTransaction
        when: type = "track" and (event = "Paid" or event = "Ordered")
        fields: {directoryId: POOL_b, unsubscribed: false, transactionData: {"@path": $.properties}}
  - name: off
    enabled: false
    mappings:
      - {name: all, action: addContactToXmd, when: always, fields: {directoryId: POOL_a}}
"""


@pytest.fixture(scope="module")
def found():
    return compile_document(check(DOCUMENT), 7, secrets=Secrets({"T": "t1"}, Path("/nowhere")))


def clearing(fields, names):
    """The functions of ``clear_on_null`` of one mapping."""
    text = (
        "version: 1\nconnections:\n  - name: c\n    mappings:\n      - name: m\n        action: addContactToXmd\n"
        f"        fields: {{directoryId: POOL_a{fields}}}\n        clear_on_null: [{names}]\n"
    )
    return check(text).rules[0].clear_on_null


def test_parts(found):
    """Tokens, sources and directories, with their defaults."""
    assert found.revision == found.rules.revision == 7
    every = {"directory:read", "directory:write", "trigger", "results", "control"}
    assert [(token.name, token.values, token.scopes) for token in found.api_tokens] == [
        ("ops", ("t1",), every),
        ("read", ("t2",), {"directory:read"}),
    ]
    assert {name: source.accept_own for name, source in found.rules.sources.items()} == {"web": False, "own": True}
    assert found.directories["POOL_a"] == Directory("POOL_a", "NO")
    merge_rules = (("email", "embeddedData.shop"), ("extRef",))
    assert found.directories["POOL_b"] == Directory("POOL_b", "B", merge_rules, "CG_x", (("CG_x", "X"),), True)


def test_rules(found):
    """Identity, selectors, sources and what is switched off."""
    contact, buy, everything = found.rules.rules
    assert [rule.mapping for rule in found.rules.rules] == ["crm/contact", "kept", "off/all"]
    assert [rule.enabled for rule in found.rules.rules] == [True, False, False]
    assert (contact.types, contact.events, contact.sources) == ({"identify"}, None, {"web", "kafka"})
    assert (buy.types, buy.events) == ({"track"}, {"Paid", "Ordered"})
    assert (everything.types, everything.sources) == (None, None)
    assert found.rules.candidates("web", "identify", "") == (contact, everything)
    assert found.rules.candidates("own", "identify", "") == (everything,)


def test_payload(found):
    """Defaults, null for no value, and ``context.traits`` where a field was left to its default."""
    contact, buy, _ = found.rules.rules
    event = {"type": "identify", "userId": "u", "traits": {"phone": "1"}, "context": {"traits": {"email": "a@b.c"}}}
    assert contact.matches(event)
    payload = contact.payload(event)
    assert (payload["extRef"], payload["email"], payload["language"]) == ("u", "a@b.c", "DE")
    assert "phone" not in payload
    assert contact.creation_only == {"unsubscribed"}
    assert buy.creation_only == {"language", "unsubscribed"}  # written out, and yet the default


def test_clear_on_null():
    """Only an explicit null at the field's own path clears, and only where no other path has a value."""
    clear = clearing(", embeddedData: {plan: {'@path': $.traits.plan}}", "phone, plan, email, embeddedData.plan")
    assert set(clear) == {"phone", "email", "embeddedData.plan"}
    assert clear["phone"]({"traits": {"phone": None}}) is None
    assert clear["phone"]({"traits": {"phone": "1"}}) == "1"
    assert clear["phone"]({"traits": {}}) is MISSING
    assert clear["phone"]({"traits": None}) is MISSING
    assert clear["phone"]("text") is MISSING
    assert clear["embeddedData.plan"]({"traits": {"plan": None}}) is None
    assert clear["email"]({"email": None, "traits": {"email": "a@b.c"}}) == "a@b.c"
    assert clear["email"]({"email": None}) is None


def test_write_keys(tmp_path):
    """The one that ``isthmus up`` shows is the first source's."""
    assert write_keys(DOCUMENT, Settings(data_dir=tmp_path)) == ("k",)
    assert write_keys("version: 1\n", Settings(data_dir=tmp_path)) == ()


SOURCES = """\
version: 1
sources:
  - {id: bare, write_key: b}
  - id: web
    write_key: w
    signing_secret: [{env: NEW}, {env: OLD}]
    batch_token: {env: BATCH}
    limits: {requests_per_s: 500, events_per_s: 0.5}
    cors_origins: ["https://shop.example", "capacitor://localhost:8100"]
  - {id: unset, write_key: u, signing_secret: {env: NOWHERE}}
  - id: shop
    topic: shop.orders
    start: earliest
    event:
      - {when: {jmespath: "status == 'paid'"}, event: {type: track, event: Paid, userId: {"@path": $.who}}}
      - {when: {jmespath: "status"}, event: {type: identify, userId: {"@path": $.who}}}
  - {id: plain, topic: plain.events}
  - id: surveys
    write_key: s
    results: true
    result: {kind: survey.response, id: {"@path": $.responseId}, data: {"@path": $.}}
workflows:
  - {id: onboarding, url_token: {env: OLD}}
  - {id: off, enabled: false}
"""


@pytest.fixture(scope="module")
def sources():
    return compile_document(
        check(SOURCES), 1, secrets=Secrets({"NEW": "n", "OLD": "o", "BATCH": "t"}, Path("/nowhere"))
    )


def test_http_sources(sources):
    """Only what speaks HTTP; its secrets resolved, and nothing signed differs from nothing that can be resolved."""
    bare, web, unset, surveys = sources.http_sources
    assert (bare.signing_secrets, bare.batch_tokens, bare.limits, bare.cors_origins) == (None, (), Limits(), None)
    assert (web.signing_secrets, web.batch_tokens) == (("n", "o"), ("t",))
    assert web.limits == Limits(500, 0.5)
    assert web.cors_origins == ("https://shop.example", "capacitor://localhost:8100")
    assert unset.signing_secrets == ()
    assert sources.unset == ["source `unset`, signing_secret: {env: NOWHERE}"]
    assert any("`unset`, signing_secret: {env: NOWHERE}" in warning for warning in sources.warnings)
    assert (bare.results, bare.result) == (False, None)
    assert surveys.result({"responseId": "R_1"}) == {
        "kind": "survey.response",
        "id": "R_1",
        "data": {"responseId": "R_1"},
    }


def test_topics_as_sources(sources):
    """The first ``when`` that holds makes the event; without ``event`` the records are events."""
    shop, plain = sources.rules.sources["shop"], sources.rules.sources["plain"]
    assert (shop.topic, shop.start, plain.topic, plain.start) == ("shop.orders", "earliest", "plain.events", "latest")
    assert plain.makings is None
    record = {"status": "paid", "who": "u"}
    assert [making.when(record) for making in shop.makings] == [True, True]
    assert shop.makings[0].make(record) == {"type": "track", "event": "Paid", "userId": "u"}
    assert not shop.makings[1].when({"who": "u"})


def test_workflow_urls(sources):
    """A workflow's id, switch and token."""
    assert [(flow.id, flow.enabled, flow.url_tokens) for flow in sources.http_workflows] == [
        ("onboarding", True, ("o",)),
        ("off", False, ()),
    ]


def test_no_new_secret_is_shown():
    """Plain secrets of every kind are masked wherever the document is shown."""
    text = (
        "version: 1\nsources: [{id: a, write_key: p1, signing_secret: [p2, p3], batch_token: p4}]\n"
        "workflows: [{id: w, url_token: p5}]\n"
    )
    compiled = compile_document(check(text), 1, secrets=Secrets({}, Path("/nowhere")))
    shown = f"{mask(text)}{compiled}{compiled.document}"
    assert not [secret for secret in ("p1", "p2", "p3", "p4", "p5") if secret in shown]
    assert shown.count("***") == 10
