"""Filling schemas as learners write them, with pydantic or by hand."""

from enum import Enum
from typing import Annotated, Literal

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field

from funathon.endpoint.schema_filling import fill

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
    value = fill(schema, known)
    Draft202012Validator(schema).validate(value)
    Everything.model_validate(value)


def test_fields_are_understood_by_name():
    value = fill(Everything.model_json_schema(), CODED)
    assert value["is_codable"] is value["codeable"] is True
    assert value["best"] == {"nace_code": "10.71", "score": 0.82}
    assert value["predicted_class"] == value["class_or_none"] == "10.71"
    assert (value["confidence"], value["probability_in_percent"]) == (0.82, 82)
    assert (value["class_title"], value["reasoning"], value["language"]) == ("Bread", "Near.", "en")


def test_no_code_is_said_as_the_schema_allows():
    value = fill(Everything.model_json_schema(), NOT)
    assert value["is_codable"] is False
    assert value["best"]["nace_code"] is None and value["class_or_none"] is None
    assert value["predicted_class"] == "10.71"  # the schema leaves no other way
    assert fill({"properties": {"code": {"type": "string"}}}, NOT) == {"code": ""}
    assert fill({"properties": {"code": {"type": ["string", "null"]}}}, NOT) == {"code": None}


def test_a_schema_without_fields_or_with_broken_parts_gives_something():
    assert fill({}, CODED) is None
    assert fill({"type": "object"}, CODED) == {}
