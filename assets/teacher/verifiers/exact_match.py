r"""The answer's result is the one that the document's metadata holds.

    metadata["answer"]  "1,250"
    answer              "Twelve crates of 100, and 50 more.\nThe answer is 1250."     accepted
    metadata["answer"]  "partition pruning"
    answer              "Answer: Partition pruning."                                  accepted

A number is compared with the one behind "Answer:", "####" or "The answer is", else with the last
one; a text with the answer's last line or the whole of it, without case and punctuation.
"""

import re
import unicodedata
from decimal import Decimal

from pydantic import Field

from assets import discovery
from assets.records import Document
from assets.teacher.verdict import Verdict, by_rule

_NUMBER = re.compile(r"(?<![\w.,])[-+\u2212]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\w]|[.,]\d)")
_ONLY_A_NUMBER = re.compile(r"[$€£]?\s*(?P<number>[-+\u2212]?[\d,]*\.?\d+)\s*[%$€£]?")
_LEADS_UP = re.compile(
    r".*(?:####|\banswer(?: is)?\s*:|\b(?:the |final )answer is|\bresult\s*:|\\boxed)\s*",
    re.IGNORECASE | re.DOTALL,
)


class Options(discovery.Options):
    """Where the right answer is."""

    answer_from: str = Field(default="answer", min_length=1)  # its name in the metadata


def verify(answer: str, document: Document, options: Options) -> Verdict:
    """Return the verdict; raises ValueError where the document holds no right answer."""
    expected = document.metadata.get(options.answer_from, "").strip()
    if not expected:
        there = ", ".join(sorted(document.metadata)) or "none"
        raise ValueError(f"the metadata holds no {options.answer_from!r}; there are: {there}")
    number = _ONLY_A_NUMBER.fullmatch(expected)
    if number is None:
        return by_rule("" if _says(answer, expected) else "another answer than the known one")
    found = _result(answer)
    if not found:
        return by_rule("no number in the answer")
    if _value(found) != _value(number["number"]):
        return by_rule("another number than the known one")
    return by_rule("")


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
