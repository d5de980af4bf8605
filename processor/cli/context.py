"""What every command needs: the settings, completed by the embedded parts that are running, and a database.

From a second terminal the embedded parts are found through ``DATA_DIR/run.json`` (design section 9).
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import orjson
from pydantic import SecretStr

from processor.adapters.postgres.pool import open_pool
from processor.errors import ConfigError
from processor.settings import Settings

if TYPE_CHECKING:
    from processor.adapters.postgres.pool import Pool

__all__ = ["database", "load_settings", "run_file"]


def run_file(settings: Settings) -> dict[str, object]:
    """The content of ``run.json``: ``pid``, ``url``, ``kafka``, ``postgres``; empty when nothing embedded runs."""
    try:
        found = orjson.loads((settings.data_dir / "run.json").read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def load_settings(*, need_kafka: bool = False, need_postgres: bool = False) -> Settings:
    """Settings from the environment; an address that is not set there is the running embedded part's.

    Raises ``ConfigError`` that says what to do when a needed address is nowhere.
    """
    settings = Settings.from_env(os.environ)
    running = run_file(settings)
    changed: dict[str, object] = {}
    if not settings.kafka and running.get("kafka"):
        changed["kafka"] = str(running["kafka"])
    if not settings.postgres.get_secret_value() and running.get("postgres"):
        changed["postgres"] = SecretStr(str(running["postgres"]))
    settings = settings.model_copy(update=changed)
    hint = f"run `isthmus up` (its data folder: {settings.data_dir.absolute()}) or set"
    if need_kafka and not settings.kafka:
        raise ConfigError(f"no Kafka: {hint} ISTHMUS_KAFKA")
    if need_postgres and not settings.postgres.get_secret_value():
        raise ConfigError(f"no PostgreSQL: {hint} ISTHMUS_POSTGRES")
    return settings


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator["Pool"]:
    """A pool for the length of one command."""
    pool = await open_pool(settings)
    try:
        yield pool
    finally:
        await pool.close()
