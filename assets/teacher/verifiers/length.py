"""The answer is neither too short nor too long.

verify: {min_words: 40, max_words: 120}
"""

from pydantic import Field, model_validator

from assets import discovery
from assets.records import Document
from assets.teacher.verdict import Verdict, by_rule


class Options(discovery.Options):
    """Counted in words, as white space divides them."""

    min_words: int = Field(default=1, ge=0)
    max_words: int = Field(default=300, ge=1)

    @model_validator(mode="after")
    def _holds_something(self) -> "Options":
        if self.min_words > self.max_words:
            raise ValueError(f"min_words {self.min_words} is over max_words {self.max_words}")
        return self


def verify(answer: str, document: Document, options: Options) -> Verdict:
    """Return the verdict."""
    words = len(answer.split())
    if words < options.min_words:
        return by_rule(f"{words} words, fewer than {options.min_words}")
    if words > options.max_words:
        return by_rule(f"{words} words, more than {options.max_words}")
    return by_rule("")
