"""Numbered texts that are asked, one after another, for an earlier one that is too much alike."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from assets.similarity.tokens import Unit

Id = TypeVar("Id", bound=Hashable)
Likeness = Callable[[str], Callable[[str], float]]  # of one text: how like it another one is, 0..1


@dataclass(frozen=True)
class Match(Generic[Id]):
    """The text that is most like the one that was asked for."""

    id: Id
    score: float  # 0..1


@dataclass(frozen=True)
class Measure:
    """How alike two texts are, and from when on it is too much."""

    likeness: Likeness
    threshold: float
    unit: "Unit"
    dice: float  # where the threshold is reached, 2 * shared / (m + n) tokens is no less


class Search(Generic[Id]):
    """Texts of which some are held: they can be asked for the held one that is most alike."""

    def __init__(self, texts: Sequence[tuple[Id, str]], measure: Measure) -> None:
        """Take all texts; none is held yet."""
        from assets.similarity.candidates import Candidates

        self._texts = texts
        self._measure = measure
        self._candidates = Candidates([text for _, text in texts], measure.unit, measure.dice)

    def hold(self, number: int) -> None:
        """Let the text of this number be found from now on."""
        self._candidates.hold(number)

    def closest(self, number: int) -> Match[Id] | None:
        """Return the held text most like this one, the first of equals, or None."""
        candidates = self._candidates.like(number)
        if not candidates:
            return None
        likeness = self._measure.likeness(self._texts[number][1])
        score, first = max((likeness(self._texts[other][1]), -other) for other in candidates)
        if score < self._measure.threshold:
            return None
        return Match(self._texts[-first][0], score)


def like_one_kept(
    texts: Iterable[tuple[Id, str]], measure: Measure, held: Iterable[tuple[Id, str]] = ()
) -> dict[Id, Match[Id]]:
    """Return the texts too much like a held one, or like one kept before them, by their ids."""
    first = sorted(held, key=_id)
    every = [*first, *sorted(texts, key=_id)]
    search = Search(every, measure)
    found: dict[Id, Match[Id]] = {}
    for number, (id, _) in enumerate(every):
        match = search.closest(number) if number >= len(first) else None
        if match:
            found[id] = match
        else:
            search.hold(number)
    return found


def like_one_before(
    groups: Sequence[Sequence[tuple[Id, str]]], measure: Measure
) -> dict[Id, Match[Id]]:
    """Return the texts too much like one of an earlier group, whatever their own group holds."""
    ordered = [sorted(group, key=_id) for group in groups]
    every = [text for group in ordered for text in group]
    search = Search(every, measure)
    found: dict[Id, Match[Id]] = {}
    first = 0
    for group in ordered:
        numbers = range(first, first + len(group))
        matches = {every[number][0]: search.closest(number) for number in numbers}
        found |= {id: match for id, match in matches.items() if match}
        for number in numbers:
            search.hold(number)
        first += len(group)
    return found


def _id(text: tuple[Any, str]) -> Any:
    return text[0]
