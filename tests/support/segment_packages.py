"""Segment's own engine: its npm packages, fetched once into the user's cache."""

import shutil
import subprocess
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from support import npm

__all__ = ["DESTINATIONS", "PACKAGES", "lacking_node", "segment_destinations", "segment_packages"]

PACKAGES = (
    "@segment/destination-subscriptions@3.37.0",
    "@segment/actions-core@3.170.0",
    "liquidjs@10.30.1",
)
"""What ``conformance/README.md`` recorded its vectors with; actions-core needs liquidjs and does not say so."""
DESTINATIONS = "@segment/action-destinations@3.497.0"
"""Segment's destinations, built for the actions-core above."""


def lacking_node() -> str:
    """What is lacking to run them, in words; empty when nothing is."""
    return npm.lacking_node("Segment's engine")


def segment_packages() -> Path:
    """The folder that holds them, to run Node in. Raises ``RuntimeError`` when they cannot be installed."""
    return npm.installed("segment", PACKAGES)


def segment_destinations() -> Path:
    """The same folder, with the destinations' package in it as it was published.

    Unpacked, not installed: its install fails on a dependency that it pins, and Qualtrics' destination needs none of
    them but actions-core. Raises ``RuntimeError`` when the package cannot be fetched.
    """
    folder = segment_packages()
    name, _, version = DESTINATIONS.rpartition("@")
    unpacked = folder / "node_modules" / name
    if not (unpacked / f".unpacked-{version}").exists():
        with TemporaryDirectory(dir=folder) as made:
            command = ["npm", "pack", "--silent", "--pack-destination", made, DESTINATIONS]
            done = subprocess.run(command, cwd=made, capture_output=True, text=True, check=False, timeout=300)
            if done.returncode:
                raise RuntimeError(f"{DESTINATIONS} could not be fetched: {done.stderr.strip()[-300:]}")
            with tarfile.open(next(Path(made).glob("*.tgz"))) as archive:
                archive.extractall(made, filter="data")
            (Path(made) / "package" / f".unpacked-{version}").touch()
            shutil.rmtree(unpacked, ignore_errors=True)
            (Path(made) / "package").rename(unpacked)
    return folder
