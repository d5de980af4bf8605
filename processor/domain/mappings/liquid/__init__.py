"""Liquid as Segment runs it: liquidjs 10.30.1, with some tags and filters switched off.

python-liquid reads blocks and renders them; the dialect's own rules are here: ``tokens`` cuts a template up,
``expressions`` reads what stands in a tag, ``values`` are JavaScript's, ``filters`` has the filters by what they
work on. Source: the code of liquidjs, and Segment's ``mapping-kit/liquid-directive``.

Nobody imports this but ``directives/liquid.py``, and only when a mapping with ``@liquid`` is compiled.
"""

from processor.domain.mappings.liquid.compiling import TemplateError, compile_template

__all__ = ["TemplateError", "compile_template"]
