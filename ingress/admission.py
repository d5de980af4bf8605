"""How much may be on its way at once: bytes of bodies that were taken and not yet answered."""

from processor.errors import UnavailableError

__all__ = ["Admission"]


class Admission:
    """Counts bytes, so that memory stays bounded when Kafka is slow."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self.bytes_in_flight = 0

    def take(self, size: int) -> None:
        """Raises ``UnavailableError`` when that were too much; then nothing was taken."""
        if self.bytes_in_flight + size > self._max_bytes:
            raise UnavailableError("Too many requests are on their way; send again later.", "too_busy")
        self.bytes_in_flight += size

    def give(self, size: int) -> None:
        self.bytes_in_flight -= size
