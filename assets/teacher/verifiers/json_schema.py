"""The answer is JSON of a schema.

verify: {json_schema: {type: object, required: [city], properties: {city: {type: string}}}}
answer  {"city": "Bremen"}                 accepted
answer  The city is Bremen.                no JSON
"""

from typing import Any

from pydantic import Field, field_validator

from assets import discovery
from assets.answers import checked_schema, json_fault
from assets.records import Document
from assets.teacher.verdict import Verdict, by_rule


class Options(discovery.Options):
    """What an answer must look like."""

    json_schema: dict[str, Any] = Field(default={"type": "object"}, min_length=1)  # draft 2020-12

    @field_validator("json_schema")
    @classmethod
    def _is_a_schema(cls, schema: dict[str, Any]) -> dict[str, Any]:
        return checked_schema(schema)


def verify(answer: str, document: Document, options: Options) -> Verdict:
    """Return the verdict; a fence of Markdown around the JSON is no fault."""
    return by_rule(json_fault(answer, options.json_schema))
