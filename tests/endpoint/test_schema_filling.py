"""Filling schemas as learners write them, with pydantic or by hand."""

from enum import Enum
from typing import Annotated, Literal

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field

from funathon.endpoint.schema_filling import MOST_CHARACTERS, SchemaError, fill_schema

CODED = {"codable": True, "code": "10.71", "confidence": 0.82, "title": "Bread", "explanation": "Near.", "nearest": "10.71"}
NOT = {"codable": False, "code": None, "confidence": 0.1, "title": None, "explanation": "Far.", "nearest": "10.71"}


class Kind(Enum):
    a = "a"
    b = "b"


class Inner(BaseModel):
    nace_code: str | None = None
    score: float


class Everything(BaseModel):
    is_codable: bool
    codeable: bool
    best: Inner
    predicted_class: Literal["49.41", "10.71"]
    class_or_none: Literal["49.41", "10.71", None]
    confidence: Annotated[float, Field(ge=0, le=1)]
    probability_in_percent: Annotated[int, Field(ge=0, le=100)]
    class_title: str
    reasoning: str
    kind: Kind
    remarks: list[str]
    alternatives: Annotated[list[Inner], Field(min_length=2)]
    language: str = "en"
    number: Annotated[int, Field(ge=3)]
    nothing: None
    short: Annotated[str, Field(min_length=2)]


@pytest.mark.parametrize("known", [CODED, NOT])
def test_what_is_filled_in_is_valid(known):
    schema = Everything.model_json_schema()
    value = fill_schema(schema, known)
    Draft202012Validator(schema).validate(value)
    Everything.model_validate(value)


def test_fields_are_understood_by_name():
    value = fill_schema(Everything.model_json_schema(), CODED)
    assert value["is_codable"] is value["codeable"] is True
    assert value["best"] == {"nace_code": "10.71", "score": 0.82}
    assert value["predicted_class"] == value["class_or_none"] == "10.71"
    assert (value["confidence"], value["probability_in_percent"]) == (0.82, 82)
    assert (value["class_title"], value["reasoning"], value["language"]) == ("Bread", "Near.", "en")


def test_no_code_is_said_as_the_schema_allows():
    value = fill_schema(Everything.model_json_schema(), NOT)
    assert value["is_codable"] is False
    assert value["best"]["nace_code"] is None and value["class_or_none"] is None
    assert value["predicted_class"] == "10.71"  # the schema leaves no other way
    assert fill_schema({"properties": {"code": {"type": "string"}}}, NOT) == {"code": ""}
    assert fill_schema({"properties": {"code": {"type": ["string", "null"]}}}, NOT) == {"code": None}


def test_a_schema_without_fields_or_with_broken_parts_gives_something():
    assert fill_schema({}, CODED) is None
    assert fill_schema({"type": "object"}, CODED) == {}


def nested(depth: int) -> dict:
    schema: dict = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", "minItems": 1, "items": schema}
    return schema


TWICE = {f"l{i}": {"anyOf": [{"$ref": f"#/$defs/l{i + 1}"}] * 2} for i in range(40)} | {"l40": {"type": "integer"}}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minLength": 20_000_000},
        {"properties": {f"f{i}": {"type": "string", "minLength": 5_000} for i in range(3)}},
        {"type": "array", "minItems": 10**12},
        {"type": "array", "minItems": 900, "items": {"type": "array", "minItems": 900, "items": {"type": "string"}}},
        {"properties": {"a": {"$ref": "#"}}},
        {"$ref": "#"},
        {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]},
        {"$ref": "#/$defs/l0", "$defs": TWICE},
        {"type": "string", "allOf": [{"$ref": "#/$defs/l0"}], "$defs": TWICE},
        {"$ref": "#/$defs/missing"},
        {"$ref": "#/properties/a/0", "properties": {"a": []}},
        {"$ref": "http://127.0.0.1:9/schema.json"},
        {"type": "what"},
        {"type": 5},
        {"anyOf": []},
        {"properties": 5},
        {"properties": {"a": 5}},
        {"enum": "x"},
        {"minimum": "x"},
        {"required": "a"},
        nested(2_000),
        {"properties": {f"code{i}": {"type": "integer", "enum": [str(n) for n in range(2_000)]} for i in range(900)}},
    ],
)
def test_what_is_no_schema_or_asks_for_too_much_is_refused(schema):
    with pytest.raises(SchemaError):
        fill_schema(schema, CODED)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "minLength": MOST_CHARACTERS}, "-" * MOST_CHARACTERS),
        ({"type": "integer", "minimum": 3.5}, 4),
        ({"type": "integer", "exclusiveMinimum": 3}, 4),
        ({"type": "array", "minItems": 2, "items": {"type": "boolean"}}, [False, False]),
        ({"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#"}}}}, {"children": []}),
        ({"type": "string", "pattern": "(a+)+$"}, ""),
        ({"properties": {"code": {"type": "string", "pattern": r"^\d\d\.\d\d$"}}}, {"code": "10.71"}),
        ({"properties": {"pattern": {"type": "integer"}, "format": {"type": "null"}}}, {"pattern": 0, "format": None}),
        ({"$ref": "#/definitions/a%20b", "definitions": {"a b": {"const": 7}}}, 7),
        ({"properties": {"a": True}}, {"a": None}),
    ],
)
def test_schemas_at_the_edge_of_what_is_allowed(schema, value):
    assert fill_schema(schema, NOT) == value
