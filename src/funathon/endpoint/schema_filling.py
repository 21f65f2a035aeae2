"""Filling a JSON schema with what the offline stand-in knows, whatever names a learner has given to the fields.

A schema comes from outside and can ask for anything: a text of 20 million characters, a list of lists of lists, itself. What
a schema may ask for is limited, and whatever it says is told by SchemaError.
"""

import math
import re
from collections.abc import Iterator
from urllib.parse import unquote

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError as InvalidSchema
from referencing import Registry

FIELDS = (
    ("codable", r"cod[ei]?able|found|match"),
    ("confidence", r"confiden|probab|certain|score|likel"),
    ("explanation", r"expla|reason|rationale|justif|comment|thought|why"),
    ("title", r"title|name|heading"),
    ("code", r"code|nace|class|answer|choice|label|prediction"),
)
"""What a field asks for, by the words in its name; the first that is met counts."""

MOST_CHARACTERS = 10_000
"""Characters that a schema's least lengths may ask for, all together."""
MOST_VALUES = 1_000
"""Values that an answer may have."""
MOST_COMPARISONS = 3_000
"""Schemas that the values of an answer may have to be compared with, all together."""
MOST_TRIED = 20
"""Values of an `enum` that are tried."""
MOST_PARTS = 20_000
"""Parts of a schema, its lists and dictionaries."""
DEEPEST = 40
"""Levels of a schema, and references that follow one another."""

UNREAD = {"pattern", "patternProperties", "format", "$schema", "$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$vocabulary"}
"""What is not looked at: a pattern can take for ever to compare, and the others reach beyond the schema."""
NAMING = ("properties", "$defs", "definitions", "dependentSchemas")
"""Keywords whose dictionaries have names for keys."""
IN_PLACE = ("anyOf", "oneOf", "allOf", "not", "if", "then", "else", "dependentSchemas")
"""What compares the same value with further schemas."""


class SchemaError(ValueError):
    """A schema that cannot be filled: the message says why."""


def fill_schema(schema: dict, known: dict) -> object:
    """A value that is valid under a JSON schema (draft 2020-12) of the kinds that chat endpoints take.

    `known` has a value for each of FIELDS, and `nearest`, the code to name where a schema leaves no way to say that there is
    none. A field that asks for none of FIELDS gets its default, or the plainest value that is valid. Patterns and formats of
    texts are not looked at.

    Raises SchemaError for what is no schema, refers to what is not in it, or asks for too much.
    """
    read = readable(schema)
    try:
        Draft202012Validator.check_schema(read)
    except InvalidSchema as error:
        place = ".".join(str(part) for part in error.absolute_path)
        raise SchemaError(f"it is no JSON schema{f' at {place}' if place else ''}") from error
    return Filler(read, known).fill(read, "")


def readable(schema: dict) -> dict:
    """A schema without the keywords of UNREAD; a field of its `properties` may have such a name.

    Raises SchemaError when it is too deep or too large.
    """
    parts = 0

    def copied(part: object, level: int, names: bool) -> object:
        """A copy of a part; with `names`, the keys of a dictionary are names of fields and no keywords."""
        nonlocal parts
        if isinstance(part, dict | list):
            parts += 1
            if level > DEEPEST or parts > MOST_PARTS:
                raise SchemaError(f"it has more than {DEEPEST} levels or {MOST_PARTS:,} parts")
        if isinstance(part, list):
            return [copied(item, level + 1, False) for item in part]
        if not isinstance(part, dict):
            return part
        kept = {
            key: copied(value, level + 1, not names and key in NAMING)
            for key, value in part.items()
            if names or key not in UNREAD
        }
        # that there was a pattern says that no empty text will do; this one fits every text
        return kept | {"pattern": ""} if not names and "pattern" in part else kept

    return copied(schema, 0, False)


class Filler:
    """One schema being filled, and what it may still ask for."""

    def __init__(self, root: dict, known: dict) -> None:
        self.root = root
        self.known = known
        self.validator = Draft202012Validator(root, registry=Registry())
        self.values = MOST_VALUES
        self.comparisons = MOST_COMPARISONS
        self.characters = MOST_CHARACTERS

    def fill(self, schema: dict | bool, name: str, level: int = 0) -> object:
        """A value for the part `schema` of the root, which stands in the field `name`."""
        self.values -= 1
        if self.values < 0 or level > DEEPEST:
            raise SchemaError(f"an answer would have more than {MOST_VALUES:,} values or {DEEPEST} levels")
        if isinstance(schema, bool):  # true allows anything
            return None
        if "$ref" in schema:
            target = self.target(schema["$ref"])
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            return self.fill(target | rest if isinstance(target, dict) else rest, name, level + 1)
        if "properties" in schema:
            return {key: self.fill(field, key, level + 1) for key, field in schema["properties"].items()}
        self.refuse_costly(schema)
        valid = self.validator.evolve(schema=schema).is_valid
        for value in self.suggestions(schema, name):
            if valid(value):
                return value
        for key in ("anyOf", "oneOf", "allOf"):
            if schema.get(key):
                return self.fill(schema[key][0], name, level + 1)
        if "array" in schema.get("type", ()):
            return [self.fill(schema.get("items", {}), name, level + 1) for _ in range(self.few(schema.get("minItems", 1)))]
        return "-" * self.short(schema.get("minLength", 0))

    def suggestions(self, schema: dict, name: str) -> Iterator[object]:
        """Values to try for a field, the best first."""
        known = self.known
        asked = next((kind for kind, words in FIELDS if re.search(words, name.lower())), None)
        if asked == "confidence":
            # some ask for a percentage, some for a word
            most = min(schema.get("maximum", 1), 10**6)
            yield known[asked] * most
            yield round(known[asked] * (most if "maximum" in schema else 100))
            yield str(known[asked])
        elif asked is not None:
            yield known[asked]
        if asked == "code" and ("enum" in schema or "pattern" in schema):
            yield known["nearest"]
        given = [schema[key] for key in ("default", "const") if key in schema] + schema.get("enum", [])[:MOST_TRIED]
        # to compare a large value with its schema can take long
        yield from (value for value in given if len(str(value)) < MOST_CHARACTERS)
        least = schema.get("minimum", schema.get("exclusiveMinimum", 0))
        yield from (None, "", False, least, math.floor(least) + 1, schema.get("maximum"), [], {})

    def target(self, reference: str) -> dict | bool:
        """The part of the schema that a reference names."""
        part: object = self.root
        if not reference.startswith("#"):
            raise SchemaError(f"it refers to {reference[:80]!r}, outside itself")
        for step in reference.removeprefix("#").removeprefix("/").split("/") if len(reference) > 1 else ():
            step = unquote(step).replace("~1", "/").replace("~0", "~")
            if not isinstance(part, dict) or step not in part:
                raise SchemaError(f"it refers to {reference[:80]!r}, which is not in it")
            part = part[step]
        if not isinstance(part, dict | bool):
            raise SchemaError(f"it refers to {reference[:80]!r}, which is no schema")
        return part

    def refuse_costly(self, schema: dict) -> None:
        """Raise SchemaError when the values would be compared with more than MOST_COMPARISONS schemas, or without an end."""
        waiting: list[object] = [schema]
        while waiting:
            self.comparisons -= 1
            if self.comparisons < 0:
                raise SchemaError(f"it has more than {MOST_COMPARISONS:,} alternatives, or refers to itself without an end")
            part = waiting.pop()
            if not isinstance(part, dict):
                continue
            self.comparisons -= len(part.get("enum", ())) // 5
            if "$ref" in part:
                waiting.append(self.target(part["$ref"]))
            for key in IN_PLACE:
                inner = part.get(key, [])
                if key == "dependentSchemas" and inner:
                    inner = list(inner.values())
                waiting += inner if isinstance(inner, list) else [inner]

    def few(self, items: float) -> int:
        """A number of items, if an answer may have so many."""
        if items > self.values:
            raise SchemaError(f"a list of {items:,} items is more than an answer may have")
        return int(items)

    def short(self, length: float) -> int:
        """A length of a text, if an answer may be so long."""
        if length > self.characters:
            raise SchemaError(f"a text of {length:,} characters is more than an answer may have")
        self.characters -= int(length)
        return int(length)
