"""npm packages for tests, fetched once into the user's cache."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

__all__ = ["installed", "lacking_node"]


def lacking_node(purpose: str) -> str:
    """What is lacking to run them, in words; empty when nothing is."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    return f"{' and '.join(missing)}, to run {purpose}" if missing else ""


def installed(name: str, packages: Sequence[str]) -> Path:
    """The folder that holds them, to run Node in. Raises ``RuntimeError`` when they cannot be installed."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "isthmus" / f"{name}-{hashlib.sha256(' '.join(packages).encode()).hexdigest()[:8]}"
    if not (folder / ".done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-save", *packages]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            raise RuntimeError(f"the npm packages {name} could not be installed: {done.stderr.strip()[-300:]}")
        (folder / ".done").touch()
    return folder
