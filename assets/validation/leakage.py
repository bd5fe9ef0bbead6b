"""Leakage: what a model was trained on may not come back when it is evaluated."""

from collections.abc import Iterator, Sequence

from assets.records import SPLITS, Sample
from assets.validation.reading import learnt_text, words
from assets.validation.similarity import Texts


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
    same: dict[str, list[Sample]] = {}
    for sample in sorted(samples, key=lambda s: s.id):
        text = learnt_text(sample)
        same.setdefault(" ".join(words(text)) or text.strip(), []).append(sample)
    alone: dict[str, list[Sample]] = {split: [] for split in SPLITS}
    for copies in same.values():
        splits = {sample.split for sample in copies}
        if len(splits) == 1:
            alone[copies[0].split].append(copies[0])
        else:
            ids = ", ".join(sample.id for sample in copies[:4])
            yield f"{_named(splits)} hold the same text {_cut(learnt_text(copies[0]))} ({ids})"
    yield from _near(alone, threshold)


def _near(alone: dict[str, list[Sample]], threshold: float) -> Iterator[str]:
    held = Texts(threshold)
    texts = {sample.id: learnt_text(sample) for samples in alone.values() for sample in samples}
    where = {sample.id: sample.split for samples in alone.values() for sample in samples}
    for split in reversed(SPLITS):  # the largest split last: it is only asked for
        for sample in alone[split]:
            if match := held.closest(texts[sample.id]):
                yield (
                    f"{split} {sample.id} and {where[match.id]} {match.id} are "
                    f"{match.jaccard:.0%} the same: {_cut(texts[sample.id])}"
                )
        if split != SPLITS[0]:
            for sample in alone[split]:
                held.add(sample.id, texts[sample.id])


def _named(splits: set[str]) -> str:
    return " and ".join(split for split in SPLITS if split in splits)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= 60 else line[:59] + "…")
