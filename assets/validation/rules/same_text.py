"""Two texts of one sample that should differ are the same: there is nothing to tell apart.

Answers are compared as they stand, since one may be preferred for its marks or its capitals; texts
that are found by their meaning without them.
"""

from collections.abc import Sequence
from itertools import combinations

from assets.records import Sample
from assets.similarity.words import some_words

VERSION = "1"


def reject(samples: Sequence[Sample], options: object) -> dict[str, str]:
    """Return the samples with equal answers, or with two equal texts of anchor and its partners."""
    found = {sample.id: _problem(sample) for sample in samples}
    return {id: reason for id, reason in found.items() if reason}


def _problem(sample: Sample) -> str:
    fields = sample.fields
    answers = {name: fields[name].split() for name in ("chosen", "rejected") if name in fields}
    texts = {
        name: some_words(fields[name])
        for name in ("anchor", "positive", "negative")
        if fields.get(name)
    }
    for parts in (answers, texts):
        for one, other in combinations(parts, 2):
            if parts[one] == parts[other]:
                return f"{one} and {other} are the same"
    return ""
