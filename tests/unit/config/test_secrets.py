"""Secrets: resolved by the process, shown to nobody."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.config import Secret, Secrets, check, compile_document, diff, mask
from processor.config.masking import masked_data
from processor.config.reading import read

PLAIN = """\
# the old key was old-secret-key
version: 1
api_tokens:
  - {name: a, token: "token-in-quotes", scopes: [trigger]}
  - {name: b, token: [first-token, {env: T}], scopes: [trigger]}   # first-token goes next week
sources:
  - id: web
    write_key: [old-secret-key, 'new key''s value']
  - id: app
    write_key: >-
      a folded
      one
  - {id: env, write_key: {env: WRITE_KEY}}
"""
SECRETS = ("token-in-quotes", "first-token", "old-secret-key", "value'", "folded")


def compiled(text, env=(), folder=Path("/nowhere")):
    return compile_document(check(text), 7, secrets=Secrets(dict(env), folder))


def test_resolved(tmp_path):
    """A variable, a file below the data folder, an absolute file, a plain text, and two while one is rotated."""
    (tmp_path / "key").write_text("from-file\n")
    text = "version: 1\nsources:\n" + "".join(
        f"  - {{id: s{place}, write_key: {key}}}\n"
        for place, key in enumerate(("{env: A}", "{file: key}", f"{{file: {tmp_path}/key2}}", "plain", "[{env: B}, x]"))
    )
    (tmp_path / "key2").write_text("absolute")
    found = compiled(text, {"A": "a", "B": "b"}, tmp_path).http_sources
    assert [source.write_keys for source in found] == [("a",), ("from-file",), ("absolute",), ("plain",), ("b", "x")]


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe", b"x" * 65_537])
def test_unset(tmp_path, content):
    """What is not there, empty, no text or far too long is a warning, and matches nothing."""
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    found = compiled("version: 1\nsources: [{id: w, write_key: [{file: key}, {env: K}]}]\n", {"K": ""}, tmp_path)
    assert found.http_sources[0].write_keys == ()
    assert found.warnings == [
        "source `w`: {file: key} is not set in this process, and matches nothing here",
        "source `w`: {env: K} is not set in this process, and matches nothing here",
    ]


def test_shared_value():
    """Two names with one value: the first source gets the events, the second is told."""
    text = "version: 1\nsources:\n  - {id: a, write_key: {env: A}}\n  - {id: b, write_key: [{env: B}, {env: C}]}\n"
    found = compiled(text, {"A": "same", "B": "same", "C": "own"})
    assert [source.write_keys for source in found.http_sources] == [("same",), ("own",)]
    assert any("source `b`" in warning and "source `a`" in warning for warning in found.warnings)


def test_hidden():
    """Neither ``repr`` nor ``str`` of anything shows a plain secret."""
    checked = check(PLAIN)
    found = compile_document(checked, 1, secrets=Secrets({}, Path("/nowhere")))
    shown = f"{checked!r} {checked} {found!r} {found.document} {found.warnings} {Secret('plain', 'folded')}"
    assert not [secret for secret in SECRETS if secret in shown]


def test_masked():
    """The text stays as it is but for its plain secrets, wherever they stand, comments included."""
    masked = mask(PLAIN)
    assert not [secret for secret in SECRETS if secret in masked]
    assert read(masked).data == masked_data(read(PLAIN).data)
    assert "{env: WRITE_KEY}" in masked
    assert len(masked.splitlines()) == len(PLAIN.splitlines()) - 2  # the folded one takes one line now


@given(st.text(min_size=1, max_size=30).filter(lambda text: text.isprintable() and text == text.strip()))
def test_any_secret_is_masked(secret):
    """Whatever a secret looks like, quoted, its place in the shown text holds the mask."""
    quoted = "'" + secret.replace("'", "''") + "'"
    text = f"version: 1\nsources:\n  - id: web\n    write_key: {quoted}\n    accept_own: true\n"
    assert mask(text) == "version: 1\nsources:\n  - id: web\n    write_key: '***'\n    accept_own: true\n"


@pytest.mark.parametrize("start", ["", "\ufeff", "# 𝒞\u2028\x85\n"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_masked_in_place(start, end):
    """Whatever begins the file and ends its lines, it is the secret that is masked and nothing beside it."""
    text = start + end.join(("version: 1", "sources:", "  - id: web", "    write_key: abc", "    accept_own: true", ""))
    assert mask(text) == text.removeprefix("\ufeff").replace("abc", "'***'")


def test_difference():
    """Lines of both, secrets masked; a change of plain secrets alone is said, not shown."""
    found = diff(PLAIN, PLAIN.replace("id: app", "id: shop"))
    assert "-  - id: app" in found.text
    assert "+  - id: shop" in found.text
    assert not [secret for secret in SECRETS if secret in found.text]
    assert diff(PLAIN, PLAIN).text == ""
    assert diff(PLAIN, PLAIN).warnings == ()
    changed = diff(PLAIN, PLAIN.replace("folded", "bolded"))
    assert changed.text == ""
    assert "plain secrets" in changed.warnings[0]


MAPPED = """\
version: 1
connections:
  - name: crm
    mappings:
      - {name: a, action: addContactToXmd, fields: {directoryId: POOL_a}}
      - {name: b, id: stays, action: addContactToXmd, fields: {directoryId: POOL_b}}
"""


@pytest.mark.parametrize(
    ("old", "new", "warned"),
    [
        ("name: a,", "name: z,", "`crm/a` becomes `crm/z`"),
        ("name: a,", "name: a, id: own,", "`crm/a` becomes `own`"),
        ("name: crm", "name: shop", "`crm/a` becomes `shop/a`"),
        ("name: b,", "name: z,", None),
        ("name: a,", "name: a, enabled: false,", None),
        ("name: a,", "name: z, id: crm/a,", None),
    ],
)
def test_identity(old, new, warned):
    """Effects are keyed by the identity of a mapping, so a change of it is said, and how to keep it."""
    found = diff(MAPPED, MAPPED.replace(old, new)).warnings
    assert len(found) == (warned is not None)
    assert warned is None or warned in found[0]


def test_first_difference():
    """Where nothing was applied yet, all of it is new."""
    assert diff("", MAPPED).text.count("\n+") == len(MAPPED.splitlines()) + 1
    assert diff("", MAPPED).warnings == ()
