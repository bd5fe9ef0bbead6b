"""Whether a text copies a run of words out of another."""

from collections.abc import Iterator, Sequence

from assets.similarity.words import words


def quotes(text: str, source: str, most: int) -> str:
    """Return the first run of more than `most` words of `source` in `text`, empty for none."""
    held = set(_runs(words(source), most + 1))
    return next((" ".join(run) for run in _runs(words(text), most + 1) if run in held), "")


def _runs(found: Sequence[str], length: int) -> Iterator[tuple[str, ...]]:
    return zip(*(found[start:] for start in range(length)), strict=False)
