"""Filling a JSON schema with what the offline stand-in knows, whatever names a learner has given to the fields."""

import re

from jsonschema import Draft202012Validator

FIELDS = (
    ("codable", r"cod[ei]?able|found|match"),
    ("confidence", r"confiden|probab|certain|score|likel"),
    ("explanation", r"expla|reason|rationale|justif|comment|thought|why"),
    ("title", r"title|name|heading"),
    ("code", r"code|nace|class|answer|choice|label|prediction"),
)
"""What a field asks for, by the words in its name; the first that is met counts."""


def fill(schema: dict, known: dict, name: str = "", root: dict | None = None) -> object:
    """A value that is valid under a JSON schema (draft 2020-12) of the kinds that chat endpoints take.

    `known` has a value for each of FIELDS, and `nearest`, the code to name where a schema leaves no way to say that there is
    none. A field that asks for none of FIELDS gets its default, or the plainest value that is valid.
    """
    root = schema if root is None else root
    if "$ref" in schema:
        target = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return fill(target | {key: value for key, value in schema.items() if key != "$ref"}, known, name, root)
    if "properties" in schema:
        return {key: fill(field, known, key, root) for key, field in schema["properties"].items()}
    asked = next((kind for kind, words in FIELDS if re.search(words, name.lower())), None)
    values = [] if asked is None else [known[asked]]
    if asked == "code" and "enum" in schema:
        values.append(known["nearest"])
    if asked == "confidence":
        # some ask for a percentage, some for a word
        values = [known[asked] * schema.get("maximum", 1), round(known[asked] * schema.get("maximum", 100)), str(known[asked])]
    values += [schema["default"]] if "default" in schema else []
    values += [schema["const"]] if "const" in schema else schema.get("enum", [])
    values += [None, "", False, schema.get("minimum", 0), [], {}]
    valid = Draft202012Validator(schema | {"$defs": root.get("$defs", {})}).is_valid
    for value in values:
        if valid(value):
            return value
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return fill(schema[key][0], known, name, root)
    if schema.get("type") == "array":
        return [fill(schema.get("items", {}), known, name, root)] * schema["minItems"]
    return "-" * schema.get("minLength", 0)
