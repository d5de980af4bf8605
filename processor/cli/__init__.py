"""The command ``isthmus``: one file per noun, each adds its commands to the one application.

Exit codes: 0 done, 1 an answer of "no" (a check that found faults), 2 wrong usage, 75 something is away, 78 set-up.
"""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

from processor.errors import ConfigError, IsthmusError, UnavailableError

__all__ = ["main", "run"]


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run one command's work to its end."""
    asyncio.run(work)


def main() -> None:
    """Entry point. An error of ours is one sentence on stderr and an exit code, never a stack trace."""
    from processor.cli.app import app

    try:
        app(standalone_mode=True)
    except IsthmusError as error:
        print(f"isthmus: {error}", file=sys.stderr)
        status = error.exit_status if isinstance(error, ConfigError | UnavailableError) else 1
        raise SystemExit(status) from None
