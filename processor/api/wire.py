"""JSON as it goes over the wire: camelCase outside, snake_case in here.

What a caller sends is read strictly, by type; keys that nobody knows are passed over, because clients of Qualtrics
send more than we keep. What is answered is written from the same kind of model, so that the document tells no lies.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from processor.api.refusals import refused

__all__ = ["Answer", "Asked", "Count", "Flag", "read_as", "sentence_of"]

_KINDS = {
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "missing": "is needed",
}
_BOUNDS = {"ge": "be at least", "le": "be at most", "min_length": "hold at least", "max_length": "hold at most"}


class Answer(BaseModel):
    """What stands in an answer."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, frozen=True)


class Asked(BaseModel):
    """What a caller sends. A field's ``description`` says what to write, and stands in the refusal."""

    model_config = ConfigDict(alias_generator=to_camel, strict=True, extra="ignore", frozen=True)


def _digits(given: object) -> object:
    """Of a query: ASCII digits alone, which pydantic's own reading is too kind for."""
    return int(given) if isinstance(given, str) and re.fullmatch(r"[0-9]{1,9}", given) else given


def _flag(given: object) -> object:
    return given == "true" if given in ("true", "false") else given


Count = Annotated[int, BeforeValidator(_digits)]
"""A number in a query."""
Flag = Annotated[bool, BeforeValidator(_flag)]
"""``true`` or ``false`` in a query."""

Model = TypeVar("Model", bound=BaseModel)


def read_as(model: type[Model], given: Any, whole: str) -> Model:
    """What was given as the model. Raises ``RefusedError`` (400, ``QVAL_3``); ``whole`` names it: The body."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise refused("QVAL_3", sentence_of(model, error, whole)) from None


def sentence_of(model: type[BaseModel], error: ValidationError, whole: str) -> str:
    """Of the first fault: the place, the rule and never the value."""
    details = error.errors(include_url=False, include_input=False)[0]
    place = _place(details["loc"]) or whole
    return f"{place} {_rule(model, details)}."


def _place(location: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in location)


def _rule(model: type[BaseModel], details: ErrorDetails) -> str:
    field = _field(model, details["loc"])
    if field is not None and field.description and details["type"] != "missing":
        return f"must be {field.description}"
    if (known := _KINDS.get(details["type"])) is not None:
        return known
    bounds: Mapping[str, Any] = details.get("ctx", {})
    said = [f"{words} {bounds[name]}" for name, words in _BOUNDS.items() if name in bounds]
    return f"must {' and '.join(said)}" if said else f"is refused: {details['msg'].lower()}"


def _field(model: type[BaseModel], location: Sequence[int | str]) -> Any:
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    return fields.get(str(location[0])) if location else None
