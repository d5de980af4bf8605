"""What ingress could not take: onto ``segment.rejected``, raw, with the reason in headers."""

from ingress.raw_items import redact
from processor.errors import RejectedError
from processor.ports.publisher import Outgoing

__all__ = ["rejected_record"]


def rejected_record(
    raw: bytes, reason: RejectedError, *, source: str, key: str, received_at: bytes, index: int, limit: int
) -> Outgoing:
    """The record that keeps ``raw``, cut to ``limit`` bytes, without the write key ``key``."""
    return Outgoing(
        source.encode(),
        redact(raw, key)[:limit],
        (
            ("source", source.encode()),
            ("received-at", received_at),
            ("code", reason.code.encode()),
            ("message", reason.message.encode(errors="replace")),
            ("index", str(index).encode()),
        ),
    )
