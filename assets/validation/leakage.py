"""Leakage: what a model was trained on may not come back when it is evaluated."""

from collections.abc import Iterator, Sequence

from assets.records import SPLITS, Sample
from assets.similarity.near_duplicates import shared_texts
from assets.similarity.words import some_words
from assets.validation.sameness import SeenText, seen_texts


def leaks(samples: Sequence[Sample], threshold: float) -> list[str]:
    """Return one sentence for each group, text or near-duplicate text that splits share, sorted."""
    return sorted([*_shared_groups(samples), *_shared_texts(samples, threshold)])


def _shared_groups(samples: Sequence[Sample]) -> Iterator[str]:
    splits: dict[str, set[str]] = {}
    for sample in samples:
        splits.setdefault(sample.group_id, set()).add(sample.split)
    for group, found in splits.items():
        if len(found) > 1:
            yield f"group {group} is in {_named(found)}"


def _shared_texts(samples: Sequence[Sample], threshold: float) -> Iterator[str]:
    """Yield the exact ones, then the near ones among texts that stand in one split only."""
    same: dict[str, list[tuple[Sample, SeenText]]] = {}
    for sample in sorted(samples, key=lambda s: s.id):
        for seen in seen_texts(sample):
            same.setdefault(" ".join(some_words(seen.compared)), []).append((sample, seen))
    alone: list[tuple[Sample, SeenText]] = []
    for copies in same.values():
        first, seen = copies[0]
        splits = {sample.split for sample, _ in copies}
        if len(splits) == 1:
            alone.append((first, seen))
        else:
            ids = ", ".join(list(dict.fromkeys(sample.id for sample, _ in copies))[:4])
            yield f"{_named(splits)} hold the same text {_cut(seen.shown)} ({ids})"
    yield from _near(alone, threshold)


def _near(alone: Sequence[tuple[Sample, SeenText]], threshold: float) -> Iterator[str]:
    """Yield the texts of a split that are like one of the splits before it; train comes last."""
    groups = [
        [(n, seen.compared) for n, (sample, seen) in enumerate(alone) if sample.split == split]
        for split in reversed(SPLITS)
    ]
    for number, match in shared_texts(groups, threshold).items():
        (one, seen), (other, _) = alone[number], alone[match.id]
        yield (
            f"{one.split} {one.id} and {other.split} {other.id} are "
            f"{match.score:.0%} the same: {_cut(seen.shown)}"
        )


def _named(splits: set[str]) -> str:
    return " and ".join(split for split in SPLITS if split in splits)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= 60 else line[:59] + "…")
