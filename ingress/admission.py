"""How much may be here at once: requests, and bytes of bodies that were taken and not yet answered."""

from processor.errors import UnavailableError

__all__ = ["Admission"]


class Admission:
    """Counts both, so that memory stays bounded when Kafka is slow. Each ``enter`` is followed by one ``leave``."""

    def __init__(self, max_bytes: int, max_requests: int) -> None:
        self._max_bytes = max_bytes
        self._max_requests = max_requests
        self.bytes_in_flight = 0
        self.requests_in_flight = 0

    def enter(self) -> None:
        """Raises ``UnavailableError`` when there are too many; ``leave`` is due all the same."""
        self.requests_in_flight += 1
        if self.requests_in_flight > self._max_requests:
            raise UnavailableError("Too many requests are on their way; send again later.", "too_busy")

    def take(self, size: int) -> None:
        """Raises ``UnavailableError`` when that were too much; then nothing was taken."""
        if self.bytes_in_flight + size > self._max_bytes:
            raise UnavailableError("Too many bytes are on their way; send again later.", "too_busy")
        self.bytes_in_flight += size

    def leave(self, size: int) -> None:
        """One request less, and the bytes that it took."""
        self.requests_in_flight -= 1
        self.bytes_in_flight -= size
