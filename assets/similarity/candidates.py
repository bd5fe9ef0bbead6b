"""Which texts may share enough tokens, found without comparing every two of a million.

Texts that share a rare token are looked up (`features.py`); a bitmap of their tokens then refutes
nearly all that have little else in common (Sandes 2020). No pair is lost: what is left is for the
exact measure to decide. A short text takes about a kilobyte, a long one 20 bytes a word more.
"""

from collections.abc import Sequence

import numpy as np

from assets.similarity.features import features_of
from assets.similarity.tokens import SLACK, Numbers, Unit, tokens_of


class Candidates:
    """Numbered texts: those that are held can be found."""

    def __init__(self, texts: Sequence[str], unit: Unit, dice: float) -> None:
        """Take all texts; two may be alike where 2 * shared / (m + n) tokens reaches `dice`."""
        self._dice = dice
        tokens = tokens_of(texts, unit, share=1 - dice / (2 - dice))
        self._sizes, self._bitmaps = tokens.sizes, (tokens.bitmaps, tokens.wide_bitmaps)
        self._asks, self._finds = features_of(tokens, dice)
        room = np.bincount(self._finds.numbers)  # for all that may be held under a feature
        self._starts = np.cumsum(room) - room
        self._counts = np.zeros(len(room), np.int32)
        self._held = np.empty(len(self._finds.numbers), np.int32)

    def hold(self, number: int) -> None:
        """Let a text be found from now on."""
        features = self._finds[number]
        self._held[self._starts[features] + self._counts[features]] = number
        self._counts[features] += 1

    def like(self, number: int) -> list[int]:
        """Return the held texts that may be like this one, ascending."""
        features = self._asks[number]
        starts, counts = self._starts[features].tolist(), self._counts[features].tolist()
        parts = [
            self._held[start : start + count]
            for start, count in zip(starts, counts, strict=True)
            if count
        ]
        return np.unique(self._unrefuted(number, np.concatenate(parts))).tolist() if parts else []

    def _unrefuted(self, number: int, found: Numbers) -> Numbers:
        """Return those whose bitmaps leave room for enough shared tokens."""
        for bitmaps in self._bitmaps:
            total = self._sizes[found] + self._sizes[number]
            apart = np.bitwise_count(bitmaps[found] ^ bitmaps[number]).sum(axis=1, dtype=np.int32)
            found = found[total - apart >= self._dice * total - SLACK]
        return found
