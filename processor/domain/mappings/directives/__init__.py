"""Every directive, one file and one line for each."""

from collections.abc import Mapping
from types import MappingProxyType

from processor.domain.mappings.contract import Directive
from processor.domain.mappings.directives.array_path import ARRAY_PATH
from processor.domain.mappings.directives.case import CASE
from processor.domain.mappings.directives.condition import IF
from processor.domain.mappings.directives.exclude_when_null import EXCLUDE_WHEN_NULL
from processor.domain.mappings.directives.flatten import FLATTEN
from processor.domain.mappings.directives.jmespath import JMESPATH
from processor.domain.mappings.directives.json_codec import JSON
from processor.domain.mappings.directives.liquid import LIQUID
from processor.domain.mappings.directives.literal import LITERAL
from processor.domain.mappings.directives.merge import MERGE
from processor.domain.mappings.directives.path import PATH
from processor.domain.mappings.directives.replace import REPLACE
from processor.domain.mappings.directives.template import TEMPLATE
from processor.domain.mappings.directives.transform import TRANSFORM

__all__ = ["TABLE"]

TABLE: Mapping[str, Directive] = MappingProxyType(
    {
        "@path": PATH,
        "@template": TEMPLATE,
        "@literal": LITERAL,
        "@if": IF,
        "@case": CASE,
        "@replace": REPLACE,
        "@arrayPath": ARRAY_PATH,
        "@merge": MERGE,
        "@transform": TRANSFORM,
        "@flatten": FLATTEN,
        "@json": JSON,
        "@excludeWhenNull": EXCLUDE_WHEN_NULL,
        "@liquid": LIQUID,
        "@jmespath": JMESPATH,
    }
)
