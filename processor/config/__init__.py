"""The configuration document: read, checked, compiled, compared and shown.

One file per section of the document; ``document.py`` puts them together. ``importing`` makes a connection of what
Segment exports.
"""

from processor.config.compile import compile_document, rules_of, write_keys
from processor.config.current import Current, Store
from processor.config.difference import Difference, diff
from processor.config.document import Checked, check
from processor.config.masking import mask
from processor.config.secrets import Secret, Secrets

__all__ = [
    "Checked",
    "Current",
    "Difference",
    "Secret",
    "Secrets",
    "Store",
    "check",
    "compile_document",
    "diff",
    "mask",
    "rules_of",
    "write_keys",
]
