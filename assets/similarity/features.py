"""What texts have in common that may share enough tokens: a feature, at least one for each pair.

Two texts of m and n tokens that share R of them share one of their m - R + 1 and n - R + 1 rarest:
prefix filtering (Chaudhuri 2006), which loses no pair. R grows with both sizes, so the prefix is
one for each class of partners' sizes, and a feature is a rare token, the class of the asking text's
size, and that of the one which is found.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets.similarity.tokens import SLACK, Hashes, Numbers, Tokens, mixed

_STEP = 1.2  # sizes within this ratio are one class


@dataclass(frozen=True)
class Lists:
    """A list of numbers for each text, one behind the other."""

    starts: NDArray[np.int64]  # one more than there are texts
    numbers: Numbers

    def __getitem__(self, text: int) -> Numbers:
        return self.numbers[self.starts[text] : self.starts[text + 1]]


def features_of(tokens: Tokens, dice: float) -> tuple[Lists, Lists]:
    """Return the features that each text asks with, and those under which it is found.

    Two texts with 2 * shared / (m + n) tokens of `dice` or more have one in common. A feature that
    only one text has is left out.
    """
    classes = _Classes(tokens, dice)
    asks: list[tuple[Numbers, Numbers]] = []  # of each step: how many features a text has, and they
    finds: list[tuple[Numbers, Numbers]] = []
    count = 0
    for step in range(-classes.reach, classes.reach + 1):
        askers, ask_keys = classes.keys(step, asking=True)
        found, find_keys = classes.keys(-step, asking=False)
        shared = _twice(ask_keys) if step == 0 else np.intersect1d(ask_keys, find_keys)
        for texts, keys, lists in ((askers, ask_keys, asks), (found, find_keys, finds)):
            at = np.minimum(np.searchsorted(shared, keys), max(0, len(shared) - 1))
            live = shared[at] == keys if len(shared) else np.zeros(len(keys), bool)
            texts_of_live = np.bincount(texts[live], minlength=len(tokens.sizes))
            lists.append((texts_of_live.astype(np.int32), (at[live] + count).astype(np.int32)))
        count += len(shared)
    return _joined(asks), _joined(finds)


class _Classes:
    """The classes of sizes, and the prefix of each text towards another class."""

    def __init__(self, tokens: Tokens, dice: float) -> None:
        self._tokens = tokens
        self._dice = dice
        self._sizes = tokens.sizes.astype(np.int64)
        bounds = [1]  # the smallest size of each class, and one beyond the largest
        while bounds[-1] <= self._sizes.max(initial=1):
            bounds.append(max(bounds[-1] + 1, int(bounds[-1] * _STEP)))
        self._bounds = np.array(bounds)
        self._own = np.searchsorted(self._bounds, self._sizes, "right") - 1
        largest_partner = (self._bounds[1:] - 1) * (2 - dice) / dice + SLACK
        its_class = np.searchsorted(self._bounds[:-1], largest_partner, "right") - 1
        self.reach = int((its_class - np.arange(len(its_class))).max())  # classes up, or down

    def keys(self, step: int, asking: bool) -> tuple[Numbers, Hashes]:
        """Return the texts and keys of all prefixes towards the class `step` above one's own."""
        other = self._own + step
        last = len(self._bounds) - 2
        inside = (other >= 0) & (other <= last)
        other = np.clip(other, 0, last)
        smallest = np.maximum(
            self._bounds[other], np.ceil(self._sizes * self._dice / (2 - self._dice) - SLACK)
        )
        inside &= smallest < self._bounds[other + 1]
        needed = np.ceil(self._dice / 2 * (self._sizes + smallest) - SLACK)
        prefix = np.where(inside, self._sizes - needed + 1, 0)
        used = self._tokens.position < prefix[self._tokens.text]
        asker, found = (self._own, other) if asking else (other, self._own)
        sides = (asker * len(self._bounds) + found).astype(np.uint64)
        text = self._tokens.text[used]
        return text, mixed(self._tokens.token[used], sides[text])


def _twice(keys: Hashes) -> Hashes:
    """Return the keys that are there twice: within a class a text is asker and found."""
    found, counts = np.unique(keys, return_counts=True)
    return found[counts > 1]


def _joined(parts: list[tuple[Numbers, Numbers]]) -> Lists:
    """Return one list a text from the parts, which are emptied."""
    lengths = np.sum([counts for counts, _ in parts], axis=0)
    starts = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
    numbers = np.empty(starts[-1], np.int32)
    free = starts[:-1].copy()
    while parts:
        counts, part = parts.pop()
        before = np.cumsum(counts, dtype=np.int64) - counts
        numbers[np.arange(len(part)) + np.repeat(free - before, counts)] = part
        free += counts
    return Lists(starts, numbers)
