"""1 within the wanted number of words, and less the further an answer is from it.

min_words: 4, max_words: 10
answer of 8 words     1.0          of 15 words     0.5          of 1 word     0.25
"""

from pydantic import Field, model_validator

from assets.discovery import Options as PlugInOptions

VERSION = "1"


class Options(PlugInOptions):
    """The keys of `finetuning:` that belong to this reward; words as white space divides them."""

    min_words: int = Field(default=1, ge=1)
    max_words: int = Field(default=300, ge=1)  # an answer twice as long earns nothing

    @model_validator(mode="after")
    def _holds_something(self) -> "Options":
        if self.min_words > self.max_words:
            raise ValueError(f"min_words {self.min_words} is over max_words {self.max_words}")
        return self


def reward(answer: str, expected: str, options: Options) -> float:
    """Return the reward, from 0 to 1."""
    words = len(answer.split())
    if words < options.min_words:
        return words / options.min_words
    return max(0.0, min(1.0, 2 - words / options.max_words))
