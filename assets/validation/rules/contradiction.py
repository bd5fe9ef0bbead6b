"""Two preferences that contradict each other: of the same two answers each is chosen once.

Nothing tells which of the two is right, so every sample that compares them is rejected.
"""

from collections.abc import Sequence

from assets.records import Sample

VERSION = "1"
Comparison = tuple[str, str, str]  # system and prompt, chosen, rejected


def reject(samples: Sequence[Sample], options: object) -> dict[str, str]:
    """Return the samples whose chosen and rejected answer stand the other way round elsewhere."""
    first: dict[Comparison, str] = {}
    for sample in sorted(samples, key=lambda s: s.id):
        first.setdefault(_comparison(sample), sample.id)
    found = {sample.id: first.get(_swapped(_comparison(sample))) for sample in samples}
    return {
        id: f"{other} has chosen and rejected the other way round"
        for id, other in found.items()
        if other and other != id
    }


def _comparison(sample: Sample) -> Comparison:
    try:
        prompt, chosen, rejected = (sample.fields[n] for n in ("prompt", "chosen", "rejected"))
    except KeyError as missing:
        raise ValueError(
            f"rule contradiction needs the field {missing}, but {sample.id} holds "
            f"{', '.join(sorted(sample.fields))}: leave the rule out, or name a teacher task"
        ) from None
    asked = "\n".join((sample.fields.get("system", ""), prompt))
    return _plain(asked), _plain(chosen), _plain(rejected)


def _swapped(comparison: Comparison) -> Comparison:
    asked, chosen, rejected = comparison
    return asked, rejected, chosen


def _plain(text: str) -> str:
    return " ".join(text.split())
