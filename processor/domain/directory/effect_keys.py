"""The key of an effect: by it a repeat is recognised, whatever way it came (schema section 3)."""

from hashlib import blake2b
from typing import Literal

__all__ = ["EffectKind", "effect_key"]

EffectKind = Literal["transaction", "run", "call", "request"]


def effect_key(kind: EffectKind, source: str, target: str, message_id: str) -> bytes:
    """16 bytes, unique over connections, sources and topics. ``target``: mapping, workflow, task or token."""
    return blake2b(f"{kind}\x1f{source}\x1f{target}\x1f{message_id}".encode(), digest_size=16).digest()
