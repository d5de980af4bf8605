"""The data folder: who owns it, the secrets made in it, and ``run.json``, by which other terminals find us."""

import fcntl
import os
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson

from processor.errors import ConfigError

__all__ = ["Folder", "Run", "write_private"]

_OURS = frozenset({"bin", "isthmus.yaml", "lock", "logs", "mail", "postgres", "postgres.new", "run.json", "secrets"})


@dataclass(frozen=True, slots=True)
class Run:
    """What ``run.json`` says of a running `isthmus up`. ``postgres`` is a DSN with its password."""

    pid: int
    started: str
    url: str
    kafka: str
    postgres: str = field(repr=False)
    data_dir: str


class Folder:
    """A data folder that this process holds, as long as ``lock`` has not been let go."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: int | None = None

    def take(self) -> None:
        """Make the folder where it is missing and hold it.

        Raises ``ConfigError`` when another process holds it, naming that one's pid, or when it is somebody's else.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            foreign = sorted({entry.name for entry in self.path.iterdir()} - _OURS)
            if foreign and not (self.path / "lock").exists():
                raise ConfigError(
                    f"{self.path} holds other things ({foreign[0]}): name a new or empty folder with --data-dir"
                )
            self.path.chmod(0o700)
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigError(f"{self.path} cannot be the data folder ({error.strerror}): see --data-dir") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = os.read(lock, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(lock)
            raise ConfigError(f"isthmus up already runs on {self.path} (process {pid}); stop it first") from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        self._lock = lock
        for name in ("logs", "secrets"):
            (self.path / name).mkdir(mode=0o700, exist_ok=True)
        self.forget_run()  # of one that was killed

    def release(self) -> None:
        """Let others have the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def log(self, name: str) -> Path:
        """The log file of one child."""
        return self.path / "logs" / f"{name}.log"

    def secret(self, name: str) -> str:
        """A secret of the folder, made at its first use. 0600."""
        path = self.path / "secrets" / name
        with suppress(FileNotFoundError):
            if found := path.read_text("utf-8").strip():
                return found
        made = secrets.token_hex(20)
        write_private(path, made.encode() + b"\n")
        return made

    def write_run(self, run: Run) -> None:
        """Say where everything is. 0600, for the DSN has a password."""
        write_private(self.path / "run.json", orjson.dumps(asdict(run), option=orjson.OPT_INDENT_2) + b"\n")

    def forget_run(self) -> None:
        """Nothing runs here any more."""
        (self.path / "run.json").unlink(missing_ok=True)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads; others see the old content or the new one, never a part."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    new.replace(path)
