"""Secrets of the document: named in it, resolved by each process, shown to nobody.

``{env: NAME}``, ``{file: PATH}``, or the plain text for local play; or a list of two while one is rotated.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, Literal, assert_never

from processor.config.faults import Findings, Path, nearest

__all__ = ["MASK", "Secret", "Secrets", "read_secret"]

MASK = "***"
"""What stands in place of a plain secret wherever a document is shown."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MAX_BYTES = 65_536
"""Of a file that holds a secret; a longer one is something else."""
_WRITE = "write {env: NAME}, {file: PATH} or a text in quotes"


@dataclass(frozen=True, slots=True)
class Secret:
    """One value, or where it is to be found. ``value`` is the text, the variable's name or the file's path."""

    kind: Literal["env", "file", "plain"]
    value: str = field(repr=False)

    def __str__(self) -> str:
        """Never the secret itself: the reference to it."""
        return "plain text" if self.kind == "plain" else f"{{{self.kind}: {self.value}}}"


class Secrets:
    """Resolves secrets in one process: ``env`` is its environment, ``folder`` what relative paths begin at."""

    def __init__(self, env: Mapping[str, str], folder: FilePath) -> None:
        self._env = env
        self._folder = folder

    def resolve(self, secret: Secret) -> str | None:
        """The value now; ``None`` where the name is not set, or the file is absent, unreadable or empty."""
        match secret.kind:
            case "plain":
                return secret.value
            case "env":
                return self._env.get(secret.value) or None
            case "file":
                return _content(self._folder / secret.value)
            case _:
                assert_never(secret.kind)


def read_secret(value: Any, path: Path, found: Findings) -> tuple[Secret, ...]:
    """One secret, or a list of one or two. Faults go to ``found``; what is returned then is of no use."""
    if not isinstance(value, list):
        secret = _one(value, path, found)
        return () if secret is None else (secret,)
    if not 1 <= len(value) <= 2:
        found.fault(path, "a list of secrets has one or two: the new one and, while it is rotated, the old one")
    read = [_one(item, (*path, place), found) for place, item in enumerate(value[:2])]
    return tuple(secret for secret in read if secret is not None)


def _one(value: Any, path: Path, found: Findings) -> Secret | None:
    if isinstance(value, str):
        return _plain(value, path, found)
    if isinstance(value, dict) and len(value) == 1:
        ((kind, name),) = value.items()
        if kind not in ("env", "file"):
            found.fault((*path, kind), f"no kind of secret; {nearest(kind, ('env', 'file'))}")
        elif kind == "env" and not (isinstance(name, str) and _NAME.fullmatch(name)):
            found.fault((*path, kind), "write the name of an environment variable, such as WEB_WRITE_KEY")
        elif not isinstance(name, str) or not name.strip():
            found.fault((*path, kind), "write the path of a file; a relative one begins at ISTHMUS_DATA_DIR")
        else:
            return Secret("env" if kind == "env" else "file", name)
        return None
    found.fault(path, f"no secret; {_WRITE}")
    return None


def _plain(text: str, path: Path, found: Findings) -> Secret | None:
    if text == MASK:
        found.fault(path, "this is a mask, put there when the document was shown; write the secret or {env: NAME}")
    elif not text.strip() or text != text.strip():
        found.fault(path, f"empty, or with blanks around it; {_WRITE}")
    elif not text.isprintable():
        found.fault(path, f"this holds line breaks or control characters; {_WRITE}")
    else:
        found.warn(path, "a secret in plain text is stored with the revision; write {env: NAME} or {file: PATH}")
        return Secret("plain", text)
    return None


def _content(file: FilePath) -> str | None:
    try:
        with file.open("rb") as opened:
            content = opened.read(_MAX_BYTES + 1)
        text = content.decode().strip()
    except (OSError, ValueError):
        return None
    return text if text and len(content) <= _MAX_BYTES else None
