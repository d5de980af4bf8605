"""Which configuration holds at the start: the file that was named, the last revision, or the example."""

from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from processor.adapters.postgres.pool import open_pool
from processor.adapters.postgres.revisions import PostgresRevisions
from processor.config import write_keys
from processor.errors import ConfigError
from processor.settings import Settings
from processor.up.folder import Folder, write_private

__all__ = ["Applied", "apply_configuration"]

_EXAMPLE_SECRETS = ("api_token", "web_write_key")


@dataclass(frozen=True, slots=True)
class Applied:
    """The revision in force. ``file``: where to edit it; ``write_key``: of its first HTTP source, else empty."""

    revision: int
    new: bool
    file: Path
    write_key: str = field(default="", repr=False)


async def apply_configuration(settings: Settings, folder: Folder, file: Path | None) -> Applied:
    """Apply ``file`` when it differs from the last revision, and the example when there is none.

    Raises ``DocumentError`` with every fault, and ``RejectedError`` when it leaves out a directory that has contacts;
    nothing is applied then.
    """
    pool = await open_pool(settings)
    try:
        revisions = PostgresRevisions(pool)
        last = await revisions.latest()
        where = file or folder.path / "isthmus.yaml"
        text = last.document if last else ""
        if file is not None:
            text = _read(file)
        elif last is None:
            text = _example(folder, where)
        new = last is None or text != last.document
        if new:
            last = await revisions.add(text, applied_by="isthmus up")
        assert last is not None  # noqa: S101 - either it was there or it was just added
        return Applied(last.number, new, where, next(iter(write_keys(text, settings)), ""))
    finally:
        await pool.close()


def _example(folder: Folder, copy: Path) -> str:
    """The user's own copy of the example, whose secrets are made here; an edited copy stays as it is."""
    for name in _EXAMPLE_SECRETS:
        folder.secret(name)
    if not copy.exists():
        write_private(copy, resources.files("processor.up").joinpath("example.yaml").read_bytes())
    return _read(copy)


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{file} cannot be read ({error.strerror}): see --config") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file} is not UTF-8 text") from None
