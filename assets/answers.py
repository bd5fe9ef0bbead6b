r"""What makes an answer right, by rule: it says the known result, or it is JSON of a schema.

    expected  "1,250"
    answer    "Twelve crates of 100, and 50 more.\nThe answer is 1250."
    expected  "partition pruning"
    answer    "Answer: Partition pruning."

A number is compared with the one behind "Answer:", "####" or "The answer is", else with the last
one; a text with the answer's last line or the whole of it, without case and punctuation.
"""

import json
import re
import unicodedata
from decimal import Decimal
from typing import Any

_NUMBER = re.compile(r"(?<![\w.,])[-+\u2212]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\w]|[.,]\d)")
_ONLY_A_NUMBER = re.compile(r"[$€£]?\s*(?P<number>[-+\u2212]?[\d,]*\.?\d+)\s*[%$€£]?")
_LEADS_UP = re.compile(
    r".*(?:####|\banswer(?: is)?\s*:|\b(?:the |final )answer is|\bresult\s*:|\\boxed)\s*",
    re.IGNORECASE | re.DOTALL,
)
_FENCE = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", re.DOTALL)


def difference(answer: str, expected: str) -> str:
    """Return in words how the answer's result differs from the known one; "" where it does not."""
    number = _ONLY_A_NUMBER.fullmatch(expected)
    if number is None:
        return "" if _says(answer, expected) else "another answer than the known one"
    found = _result(answer)
    if not found:
        return "no number in the answer"
    same = _value(found) == _value(number["number"])
    return "" if same else "another number than the known one"


def json_fault(answer: str, schema: dict[str, Any]) -> str:
    """Return why the answer is no JSON of the schema, "" where it is; a fence is no fault."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    try:
        value = parsed(answer)
    except ValueError as error:
        return f"no JSON: {error}"
    fault = best_match(Draft202012Validator(schema).iter_errors(value))
    return f"{fault.json_path}: {fault.message[:200]}" if fault else ""


def parsed(answer: str) -> Any:
    """Return what an answer in JSON, with or without a fence of Markdown, says; or ValueError."""
    fenced = _FENCE.fullmatch(answer)
    try:
        return json.loads(fenced[1] if fenced else answer)
    except RecursionError as error:
        raise ValueError(str(error)) from None


def checked_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12); raises ValueError where it is none."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ValueError(f"no JSON schema: {error.message}") from None
    return schema


def _result(answer: str) -> str:
    """Return the number behind "the answer is", else the last one; empty where there is none."""
    said = _LEADS_UP.match(answer)
    if said and (number := _NUMBER.search(answer, said.end())):
        return number[0]
    return (_NUMBER.findall(answer) or [""])[-1]


def _says(answer: str, expected: str) -> bool:
    last_line = next((line for line in reversed(answer.splitlines()) if _plain(line)), "")
    said = (answer, last_line, _LEADS_UP.sub("", last_line))
    return bool(_plain(expected)) and _plain(expected) in map(_plain, said)


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.sub(r"[\W_]+", " ", folded).split())


def _value(number: str) -> Decimal:
    return Decimal(number.replace(",", "").replace("\u2212", "-"))
