"""Too short to teach anything, or too long to fit."""

from collections.abc import Sequence

from pydantic import Field

from assets import discovery
from assets.records import Sample
from assets.similarity.words import words
from assets.validation.reading import learnt_texts

VERSION = "1"


class Options(discovery.Options):
    """Counted in each learnt text: the completion, subject and body, both answers, all texts."""

    min_words: int = Field(default=2, ge=0)  # fewer are rejected; a link counts its parts
    max_words: int = Field(default=5000, ge=1)  # more are rejected


def reject(samples: Sequence[Sample], options: Options) -> dict[str, str]:
    """Return the samples outside the limits."""
    found = {sample.id: _problem(sample, options) for sample in samples}
    return {id: reason for id, reason in found.items() if reason}


def _problem(sample: Sample, options: Options) -> str:
    texts = learnt_texts(sample)
    for name, text in texts.items():
        count = len(words(text))
        which = f"{name}: " if len(texts) > 1 else ""
        if count < options.min_words:
            return f"{which}{count} words, at least {options.min_words} needed"
        if count > options.max_words:
            return f"{which}{count} words, at most {options.max_words} allowed"
    return ""
