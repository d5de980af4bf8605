"""A checked document to what a process needs of it, its secrets resolved by this process."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from processor.config.document import Checked, check
from processor.config.masking import masked_data
from processor.config.secrets import Secret, Secrets
from processor.domain.events.mark import Marks
from processor.domain.rules import Rules
from processor.ports.revisions import ApiToken, Compiled, HttpSource, HttpWorkflow
from processor.settings import Settings

__all__ = ["compile_document", "rules_of", "write_keys"]


def compile_document(
    checked: Checked, revision_number: int, *, secrets: Secrets, marks: Marks | None = None
) -> Compiled:
    """``marks`` knows this installation's own calls; without it nothing is known as such.

    Never raises: a secret that cannot be resolved is a warning, and matches nothing.
    """
    found = _Resolved(secrets)
    tokens = [
        ApiToken(
            token.name,
            found.values(token.secrets, f"api_tokens `{token.name}`"),
            token.scopes,
            token.requests_per_s,
        )
        for token in checked.tokens
    ]
    sources: list[HttpSource] = []
    taken: dict[str, str] = {}
    for entry in checked.sources:
        http = entry.http
        if http is None:
            continue
        name = entry.source.id
        keys = found.values(http.write_keys, f"source `{name}`")
        elsewhere = [key for key in keys if taken.setdefault(key, name) != name]
        found.warnings.extend(
            f"source `{name}` has the write key of source `{taken[key]}`, which gets its events" for key in elsewhere
        )
        sources.append(
            HttpSource(
                name,
                tuple(key for key in keys if taken[key] == name),
                found.signing(http.signing_secrets, name),
                found.values(http.batch_tokens, f"source `{name}`, batch_token"),
                http.limits,
                http.cors_origins,
                entry.source.results,
                entry.source.result,
            )
        )
    workflows = [
        HttpWorkflow(flow.id, flow.enabled, found.values(flow.url_tokens, f"workflow `{flow.id}`"))
        for flow in checked.workflows
    ]
    document: dict[str, Any] = masked_data(checked.data)
    rules = rules_of(checked, revision_number, marks)
    warnings = [*(str(warning) for warning in checked.warnings), *found.warnings]
    return Compiled(
        revision_number, rules, sources, tokens, rules.directories, warnings, document, workflows, found.unset
    )


def rules_of(checked: Checked, revision_number: int, marks: Marks | None = None) -> Rules:
    """What events are decided by; no secret is looked at."""
    return Rules(
        revision=revision_number,
        sources={entry.source.id: entry.source for entry in checked.sources},
        directories={directory.id: directory for directory in checked.directories},
        rules=checked.rules,
        marks=marks or Marks(),
    )


def write_keys(text: str, settings: Settings) -> tuple[str, ...]:
    """The first source's write keys as this process resolves them: for showing one to whoever just set up.

    Raises ``DocumentError``.
    """
    secrets = Secrets(os.environ, settings.data_dir)
    compiled = compile_document(check(text), 0, secrets=secrets)
    return compiled.http_sources[0].write_keys if compiled.http_sources else ()


@dataclass(slots=True)
class _Resolved:
    """Secrets of the document as this process has them, and what it lacks."""

    secrets: Secrets
    warnings: list[str] = field(default_factory=list)
    unset: list[str] = field(default_factory=list)

    def values(self, named: Iterable[Secret], owner: str) -> tuple[str, ...]:
        values = []
        for secret in named:
            value = self.secrets.resolve(secret)
            if value is None:
                self.unset.append(f"{owner}: {secret}")
                self.warnings.append(f"{owner}: {secret} is not set in this process, and matches nothing here")
            elif value not in values:
                values.append(value)
        return tuple(values)

    def signing(self, named: Iterable[Secret] | None, source: str) -> tuple[str, ...] | None:
        return None if named is None else self.values(named, f"source `{source}`, signing_secret")
