"""What callers send, by type. Source: spec/qualtrics-directory.md, sections 3, 4 and 6."""

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from processor.api.v3.filters import FILTER_SCHEMA
from processor.api.wire import Asked

__all__ = ["Search"]


class Search(Asked):
    """A search: one filter, or two to five that all have to hold."""

    filter: Annotated[Any, WithJsonSchema(FILTER_SCHEMA)] = Field(description="a filter, or a conjunction of filters")
