"""Two samples that say nearly the same: one stays.

The held-out one stays, test before eval before train: what is scored stays the same while training
data grows, and a model may not be scored on what it has all but seen. Within a split the smallest
id stays, so the choice does not depend on the order of the rows. A sample is compared with those
that stay only: in a chain of likenesses the two ends stay when they differ.
"""

from collections.abc import Sequence

from pydantic import Field

from assets import discovery
from assets.records import SPLITS, Sample
from assets.similarity.near_duplicates import near_duplicates, shared_texts
from assets.validation.sameness import sample_text, seen_texts

VERSION = "2"


class Options(discovery.Options):
    """Likeness is the Jaccard index of word pairs, of the texts that `sameness.py` names."""

    threshold: float = Field(default=0.8, ge=0.7, le=1)  # lower rejects more


def reject(samples: Sequence[Sample], options: Options) -> dict[str, str]:
    """Return the samples that are nearly the same as one that stays."""
    texts = (((-SPLITS.index(s.split), s.id), sample_text(s)) for s in samples)
    split_of = {sample.id: sample.split for sample in samples}
    reasons = {
        id: f"{match.score:.0%} the same as {match.id[1]} in {split_of[match.id[1]]}"
        for (_, id), match in near_duplicates(texts, options.threshold).items()
    }
    left = [sample for sample in samples if sample.id not in reasons]
    return reasons | _seen(left, options.threshold)


def _seen(samples: Sequence[Sample], threshold: float) -> dict[str, str]:
    """Return the samples with a part that is held out elsewhere: a title, a query, a document."""
    kept: list[tuple[tuple[str, int], str]] = []
    reasons: dict[str, str] = {}
    parts = {s.id: [t.compared for t in seen_texts(s)] for s in samples}
    for split in reversed(SPLITS):
        own = [
            ((s.id, n), text)
            for s in samples
            if s.split == split and parts[s.id] != [sample_text(s)]
            for n, text in enumerate(parts[s.id])
        ]
        found = shared_texts([kept, own], threshold)
        for (id, _), match in sorted(found.items()):
            reasons.setdefault(id, f"a text of it is {match.score:.0%} one of {match.id[0]}")
        kept += [text for text in own if text[0][0] not in reasons]
    return reasons
