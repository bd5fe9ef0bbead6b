r"""The answer holds a pattern, or does not.

verify: {pattern: '^Dear .*\n'}              every answer begins with its greeting
verify: {pattern: 'https?://', holds: false}   no answer invents a link
"""

import re

from pydantic import Field, field_validator

from assets import discovery
from assets.records import Document
from assets.teacher.verdict import Verdict, by_rule


class Options(discovery.Options):
    """What is looked for."""

    pattern: str = Field(default=r"\S", min_length=1)  # Python's syntax; `^` and `$` are a line's
    holds: bool = True  # false: an answer that holds it is refused

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern!r} is no pattern: {error}") from None
        return pattern


def verify(answer: str, document: Document, options: Options) -> Verdict:
    """Return the verdict."""
    found = re.search(options.pattern, answer, re.MULTILINE) is not None
    if found == options.holds:
        return by_rule("")
    return by_rule(f"the answer {'lacks' if options.holds else 'holds'} {options.pattern!r}")
