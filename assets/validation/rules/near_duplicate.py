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
from assets.validation.reading import learnt_text
from assets.validation.similarity import LOWEST_THRESHOLD, Texts

VERSION = "1"


class Options(discovery.Options):
    """Likeness is the Jaccard index of the word pairs of the learnt texts."""

    threshold: float = Field(default=0.8, ge=LOWEST_THRESHOLD, le=1)  # lower rejects more


def reject(samples: Sequence[Sample], options: Options) -> dict[str, str]:
    """Return the samples that are nearly the same as one that stays."""
    kept = Texts(options.threshold)
    split_of = {sample.id: sample.split for sample in samples}
    reasons: dict[str, str] = {}
    for sample in sorted(samples, key=lambda s: (-SPLITS.index(s.split), s.id)):
        text = learnt_text(sample)
        if match := kept.closest(text):
            reasons[sample.id] = (
                f"{match.jaccard:.0%} the same as {match.id} in {split_of[match.id]}"
            )
        else:
            kept.add(sample.id, text)
    return reasons
