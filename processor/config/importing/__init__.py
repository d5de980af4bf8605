"""A destination of Segment's to a connection of ours.

``export`` reads what Segment's Public API answers, ``triggers`` and ``fields`` carry one subscription over,
``connection`` puts them together and lets the document's own check have the last word, ``fragment`` writes YAML.
"""

from processor.config.importing.connection import Imported, import_segment
from processor.config.importing.export import Export, join_exports, read_export
from processor.config.importing.notes import Note

__all__ = ["Export", "Imported", "Note", "import_segment", "join_exports", "read_export"]
