"""What to ask an endpoint for when it refuses an option of a request: some models have a fixed temperature, some know no schema."""

import openai

REFUSALS = (openai.BadRequestError, openai.UnprocessableEntityError)
"""How an endpoint refuses an option (400 or 422)."""


def with_less(options: dict, refusal: str) -> dict | None:
    """The options of a request without the one that a refusal names, or else the likeliest; None when none is left."""
    form = options.get("response_format")
    without_temperature = {name: value for name, value in options.items() if name != "temperature"}
    if "temperature" in options and ("temperature" in refusal or form is None):
        return without_temperature
    if form is None:
        return None
    if form["type"] == "json_schema":
        return options | {"response_format": {"type": "json_object"}}
    return {name: value for name, value in options.items() if name != "response_format"}
