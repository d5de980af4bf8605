"""When everything is rejected, we are broken, not the data: stop before burying everybody's (design section 2)."""

from collections.abc import Sequence

from processor.domain.outcome import Outcome

__all__ = ["RejectionBudget"]


class RejectionBudget:
    """Over, when more than half of the first 1,000 records after a change of revision are rejected by a mapping.

    Records that are no events at all do not count: no revision could make them one.
    """

    WINDOW = 1_000

    def __init__(self) -> None:
        self._revision: int | None = None
        self._records = 0
        self._rejected = 0

    def exceeded_by(self, revision: int, outcomes: Sequence[Outcome]) -> bool:
        """Count a batch that is about to be applied. True: do not apply it."""
        if revision != self._revision:
            self._revision, self._records, self._rejected = revision, 0, 0
        counted = outcomes[: max(0, self.WINDOW - self._records)]
        rejected = sum(any(rejection.mapping for rejection in outcome.rejections) for outcome in counted)
        if self._rejected + rejected > self.WINDOW // 2:
            return True
        self._records += len(counted)
        self._rejected += rejected
        return False

    def lift(self) -> None:
        """A person decided that these rejections are right: this revision is not stopped again."""
        self._records, self._rejected = self.WINDOW, 0
