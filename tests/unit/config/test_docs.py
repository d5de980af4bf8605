"""docs/configuration.md tells what the code does.

The table of settings is made here: `ISTHMUS_WRITE_DOCS=1 pytest tests/unit/config/test_docs.py`.
"""

import os
import re
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr

from processor.config import check
from processor.config.document import Checked
from processor.settings import PREFIX, Settings

PAGE = Path(__file__).parents[3] / "docs/configuration.md"
BEGIN = "<!-- settings: begin, made by tests/unit/config/test_docs.py -->\n"
END = "<!-- settings: end -->"


def settings_table() -> str:
    rows = ["| Variable | Default | Meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default: Any = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
        meaning = field.description or ""
        if get_origin(field.annotation) is Literal:
            meaning += " One of " + ", ".join(f"`{choice}`" for choice in get_args(field.annotation)) + "."
        shown = f"`{default}`" if default not in ("", None) else ""
        rows.append(f"| `{PREFIX}{name.upper()}` | {shown} | {meaning} |")
    return "\n".join(rows) + "\n"


def test_settings_table():
    """The table is the settings, every one with its default and meaning."""
    text = PAGE.read_text()
    start, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    if os.environ.get("ISTHMUS_WRITE_DOCS"):
        text = text[:start] + settings_table() + text[end:]
        PAGE.write_text(text)
        end = text.index(END)
    assert text[start:end] == settings_table()


def test_example():
    """The example holds without a warning but those about this test's environment."""
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    checked = check(example)
    assert checked.warnings == ()
    assert [rule.mapping for rule in checked.rules] == ["crm/contact", "crm/purchase"]


def test_shipped_example():
    """What `isthmus up` applies first holds, without a warning."""
    text = resources.files("processor.up").joinpath("example.yaml").read_text()
    assert check(text).warnings == ()


def test_later_keys_are_named():
    """What this version does not serve is said on the page too."""
    text = PAGE.read_text()
    assert not [name for name in Checked.LATER if f"`{name}`" not in text]
