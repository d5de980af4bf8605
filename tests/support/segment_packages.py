"""Segment's own engine: its npm packages, fetched once into the user's cache."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

__all__ = ["PACKAGES", "lacking_node", "segment_packages"]

PACKAGES = (
    "@segment/destination-subscriptions@3.37.0",
    "@segment/actions-core@3.170.0",
    "liquidjs@10.30.1",
)
"""What ``conformance/README.md`` recorded its vectors with; actions-core needs liquidjs and does not say so."""


def lacking_node() -> str:
    """What is lacking to run them, in words; empty when nothing is."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    return f"{' and '.join(missing)}, to run Segment's engine" if missing else ""


def segment_packages() -> Path:
    """The folder that holds them, to run Node in. Raises ``RuntimeError`` when they cannot be installed."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "isthmus" / f"segment-{hashlib.sha256(' '.join(PACKAGES).encode()).hexdigest()[:8]}"
    if not (folder / ".done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-save", *PACKAGES]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            raise RuntimeError(f"Segment's packages could not be installed: {done.stderr.strip()[-300:]}")
        (folder / ".done").touch()
    return folder
