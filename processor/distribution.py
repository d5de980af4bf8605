"""``ingress`` and ``processor`` are common names: make sure that both are ours (design section 10)."""

import json
from importlib import metadata, util
from pathlib import Path
from urllib.parse import unquote, urlsplit

from processor.errors import ConfigError

__all__ = ["check_distribution"]


def check_distribution() -> None:
    """Raises ``ConfigError`` that names the intruder when a package of another distribution stands before ours.

    To be called before anything imports ``ingress``: an intruder lacks what is then looked for in it.
    """
    try:
        distribution = metadata.distribution("isthmus")
    except metadata.PackageNotFoundError:
        raise ConfigError("the distribution isthmus is not installed: run `pip install .`") from None
    checkout = _checkout(distribution)
    ours = {Path(str(file.locate())).resolve() for file in distribution.files or ()}
    for package in ("ingress", "processor"):
        spec = util.find_spec(package)
        found = Path(spec.origin).resolve() if spec and spec.origin else None
        if checkout is None and found in ours:
            continue
        if checkout is not None and found == checkout / package / "__init__.py":
            continue
        where = f"at {found}" if found else "on the path"
        raise ConfigError(f"the package {package} {where} is not of Isthmus: remove it, or its folder from PYTHONPATH")


def _checkout(distribution: metadata.Distribution) -> Path | None:
    """The folder of the sources when they were installed as editable, for development."""
    told = json.loads(distribution.read_text("direct_url.json") or "{}")
    if not told.get("dir_info", {}).get("editable"):
        return None
    return Path(unquote(urlsplit(told["url"]).path)).resolve()
