"""Too short to teach anything, or too long to fit."""

from collections.abc import Sequence

from pydantic import Field

from assets import discovery
from assets.records import Sample
from assets.validation.reading import learnt_text, words

VERSION = "1"


class Options(discovery.Options):
    """Counted in the learnt text: the completion, or subject and body."""

    min_words: int = Field(default=2, ge=0)  # fewer are rejected; a link counts its parts
    max_words: int = Field(default=5000, ge=1)  # more are rejected


def reject(samples: Sequence[Sample], options: Options) -> dict[str, str]:
    """Return the samples outside the limits."""
    counts = {sample.id: len(words(learnt_text(sample))) for sample in samples}
    short = {
        id: f"{count} words, at least {options.min_words} needed"
        for id, count in counts.items()
        if count < options.min_words
    }
    long = {
        id: f"{count} words, at most {options.max_words} allowed"
        for id, count in counts.items()
        if count > options.max_words
    }
    return short | long
