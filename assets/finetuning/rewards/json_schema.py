"""1 for JSON of the schema, 0.5 for other JSON, 0 for none: a way to climb, not one high step.

json_schema: {type: object, required: [city]}
answer  {"city": "Bremen"}     1.0
answer  {"town": "Bremen"}     0.5
"""

from typing import Any

from pydantic import Field, field_validator

from assets.answers import checked_schema, json_fault, parsed
from assets.discovery import Options as PlugInOptions

VERSION = "1"


class Options(PlugInOptions):
    """The keys of `finetuning:` that belong to this reward."""

    json_schema: dict[str, Any] = Field(default={"type": "object"}, min_length=1)  # draft 2020-12

    @field_validator("json_schema")
    @classmethod
    def _is_a_schema(cls, schema: dict[str, Any]) -> dict[str, Any]:
        return checked_schema(schema)


def reward(answer: str, expected: str, options: Options) -> float:
    """Return 1.0, 0.5 or 0.0; a fence of Markdown around the JSON is no fault."""
    try:
        parsed(answer)
    except ValueError:
        return 0.0
    return 0.5 if json_fault(answer, options.json_schema) else 1.0
