"""A batch that cannot be written although the store is there: find the record that does it and bury that one.

The batch is halved until one record is left; everything else is applied on the way, in order.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from processor.domain.ledger import Tally
from processor.domain.outcome import Outcome, Rejection
from processor.errors import FencedError, RejectedError, UnavailableError
from processor.logs import Log as Logger
from processor.ports.effects import Decided

__all__ = ["bury", "isolate"]

Apply = Callable[[Decided], Awaitable[list[Tally]]]


def bury(outcome: Outcome, error: Exception) -> Outcome:
    """The outcome of a record that cannot be written: its raw bytes as a dead letter, and nothing else."""
    code = error.code if isinstance(error, RejectedError) else "internal_error"
    message = error.message if isinstance(error, RejectedError) else f"{type(error).__name__}: a fault of ours"
    return outcome._replace(effects=(), rejections=(Rejection(code, message),))


async def isolate(decided: Decided, error: Exception, apply: Apply, logger: Logger) -> list[Tally]:
    """Apply what can be applied of a batch that failed with ``error``; returns the tallies of the parts.

    ``apply`` waits out an absent store itself. Raises what it raises, and ``error`` itself when even the dead
    letter cannot be written: then nothing here can help.
    """
    if len(decided.records) == 1:
        if not decided.outcomes[0].effects and decided.outcomes[0].rejections:
            raise error
        logger.error("record_buried", message_id=decided.outcomes[0].message_id, reason=type(error).__name__)
        return await apply(replace(decided, outcomes=[bury(decided.outcomes[0], error)]))
    logger.warning("batch_isolated", records=len(decided.records), reason=type(error).__name__)
    done: list[Tally] = []
    for half in decided.halves():
        try:
            done += await apply(half)
        except (FencedError, UnavailableError):
            raise
        except Exception as found:  # noqa: BLE001 - whatever one record can cause is what we are looking for
            done += await isolate(half, found, apply, logger)
    return done
