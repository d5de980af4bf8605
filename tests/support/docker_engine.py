"""Whether a Docker engine answers, asked once and quickly."""

import os
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

__all__ = ["docker_answers", "quietly"]

SOCKETS = (Path("/var/run/docker.sock"), Path.home() / ".docker/run/docker.sock")


@contextmanager
def quietly() -> Iterator[None]:
    """Deprecations inside testcontainers and docker are not ours to fail on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@cache
def docker_answers() -> bool:
    """A client without an engine is common; it costs at most two seconds to find out."""
    if "DOCKER_HOST" not in os.environ and not any(path.exists() for path in SOCKETS):
        return False
    with quietly():
        try:
            import docker
        except ImportError:
            return False
        try:
            with closing(docker.from_env(timeout=2)) as client:
                return bool(client.ping())
        except (OSError, docker.errors.DockerException):
            return False
