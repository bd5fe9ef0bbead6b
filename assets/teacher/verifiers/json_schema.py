"""The answer is JSON of a schema.

verify: {json_schema: {type: object, required: [city], properties: {city: {type: string}}}}
answer  {"city": "Bremen"}                 accepted
answer  The city is Bremen.                no JSON
"""

import json
import re
from typing import Any

from pydantic import Field, field_validator

from assets import discovery
from assets.records import Document
from assets.teacher.verdict import Verdict, by_rule

_FENCE = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", re.DOTALL)


class Options(discovery.Options):
    """What an answer must look like."""

    json_schema: dict[str, Any] = Field(default={"type": "object"}, min_length=1)  # draft 2020-12

    @field_validator("json_schema")
    @classmethod
    def _is_a_schema(cls, schema: dict[str, Any]) -> dict[str, Any]:
        from jsonschema import Draft202012Validator
        from jsonschema.exceptions import SchemaError

        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            raise ValueError(f"no JSON schema: {error.message}") from None
        return schema


def verify(answer: str, document: Document, options: Options) -> Verdict:
    """Return the verdict; a fence of Markdown around the JSON is no fault."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    fenced = _FENCE.fullmatch(answer)
    try:
        value = json.loads(fenced[1] if fenced else answer)
    except (json.JSONDecodeError, RecursionError) as error:
        return by_rule(f"no JSON: {error}")
    fault = best_match(Draft202012Validator(options.json_schema).iter_errors(value))
    return by_rule(f"{fault.json_path}: {fault.message[:200]}" if fault else "")
