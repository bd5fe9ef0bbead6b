"""The tokens of many texts as 64-bit hashes in flat arrays, each text's rarest first.

A token is a word or a pair of neighbouring words. A word's second occurrence is a token of its own,
so that shared words count as often as both texts hold them; a pair counts once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assets.similarity.words import some_words

Unit = Literal["words", "pairs"]
Hashes = NDArray[np.uint64]
Numbers = NDArray[np.int32]
SLACK = 1e-9  # of products that are whole numbers but for rounding
_CHUNK = 50_000  # texts that are worked on at a time
_KNOWN_WORDS = 1_000_000  # words whose hashes are remembered
_BUCKET_BITS = 24  # at most, of the table that counts in how many texts a token is
_WIDE = 8  # 64-bit integers of a wide bitmap


@dataclass(frozen=True)
class Tokens:
    """What is kept of many texts; `text`, `position` and `token` hold one entry a rare token."""

    sizes: Numbers  # tokens of each text
    bitmaps: Hashes  # a row a text with a bit set for each token
    wide_bitmaps: Hashes  # the same in eight times as many bits, for long texts
    text: Numbers  # the number of the entry's text, ascending
    position: Numbers  # 0 for the rarest token of its text
    token: Hashes


def tokens_of(texts: Sequence[str], unit: Unit, share: float) -> Tokens:
    """Return the rarest `share` of each text's tokens and one more, less those of one text only.

    Rare tokens come first, by one order for all texts; which it is makes no difference to results.
    """
    chunks = list(_chunks(texts, unit))
    bits = min(_BUCKET_BITS, sum(len(tokens) for _, tokens in chunks).bit_length() + 1)
    counts = np.zeros(1 << bits, np.uint32)
    for _, tokens in chunks:
        counts += np.bincount(_bucket(tokens, counts), minlength=1 << bits).astype(np.uint32)
    ranked, first = [], 0
    while chunks:
        sizes, tokens = chunks.pop(0)
        ranked.append(_ranked(sizes, tokens, counts, share, first))
        first += len(sizes)
    columns = zip(*ranked, strict=True)
    return Tokens(*(np.concatenate(column) for column in columns))


def _ranked(
    sizes: Numbers, tokens: Hashes, counts: NDArray[np.uint32], share: float, first: int
) -> tuple[Numbers, Hashes, Hashes, Numbers, Numbers, Hashes]:
    """Return the fields of `Tokens` for one chunk; `first` is the number of its first text."""
    starts = np.cumsum(sizes) - sizes
    text = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    position = np.arange(len(tokens), dtype=np.int32) - starts.astype(np.int32)[text]
    count = counts[_bucket(tokens, counts)]
    order = np.lexsort((tokens, count, text))
    used = (position <= share * sizes[text] + SLACK) & (count[order] > 1)
    bit = np.uint64(1) << (tokens >> np.uint64(58))
    column = (tokens >> np.uint64(52)) % np.uint64(_WIDE)
    wide = [_all_bits(np.where(column == c, bit, np.uint64(0)), starts) for c in range(_WIDE)]
    entries = text[used] + np.int32(first), position[used], tokens[order[used]]
    return sizes, _all_bits(bit, starts)[:, None], np.stack(wide, axis=1), *entries


def _all_bits(bits: Hashes, starts: NDArray[np.int64]) -> Hashes:
    return np.bitwise_or.reduceat(bits, starts)


def _chunks(texts: Sequence[str], unit: Unit) -> Iterator[tuple[Numbers, Hashes]]:
    """Yield the number of tokens of each text, and the tokens, text by text."""
    known = _WordHashes()
    for first in range(0, len(texts) or 1, _CHUNK):  # of no texts one empty chunk
        hashes: list[int] = []
        sizes: list[int] = []
        for text in texts[first : first + _CHUNK]:
            found = some_words(text)
            sizes.append(len(found))
            hashes.extend(map(known.__getitem__, found))
        if len(known) > _KNOWN_WORDS:
            known.clear()
        text = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
        yield (_words if unit == "words" else _pairs)(text, np.array(hashes, np.uint64))


def _words(text: Numbers, words: Hashes) -> tuple[Numbers, Hashes]:
    text, words, new = _sorted(text, words)
    numbers = np.arange(len(words))
    earlier = numbers - np.maximum.accumulate(np.where(new, numbers, 0))
    again = earlier > 0
    words[again] = mixed(words[again], earlier[again].astype(np.uint64))
    return np.bincount(text).astype(np.int32), words


def _pairs(text: Numbers, words: Hashes) -> tuple[Numbers, Hashes]:
    alone = np.bincount(text)[text] == 1
    left = np.flatnonzero(text[:-1] == text[1:])
    pairs = np.concatenate((mixed(words[left], words[left + 1]), words[alone]))
    text, pairs, new = _sorted(np.concatenate((text[left], text[alone])), pairs)
    return np.bincount(text[new]).astype(np.int32), pairs[new]


def _sorted(text: Numbers, tokens: Hashes) -> tuple[Numbers, Hashes, NDArray[np.bool_]]:
    """Return both sorted, and where a token is not the one before it in the same text."""
    order = np.lexsort((tokens, text))
    text, tokens = text[order], tokens[order]
    new = np.ones(len(tokens), bool)
    new[1:] = (tokens[1:] != tokens[:-1]) | (text[1:] != text[:-1])
    return text, tokens, new


def _bucket(tokens: Hashes, counts: NDArray[np.uint32]) -> NDArray[np.intp]:
    return (tokens & np.uint64(len(counts) - 1)).astype(np.intp)


def mixed(one: Hashes, other: Hashes) -> Hashes:
    """Return a hash of two numbers in this order, by the finaliser of MurmurHash3."""
    found = one * np.uint64(0x9E3779B97F4A7C15) + other
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        found ^= found >> np.uint64(33)
        found *= np.uint64(factor)
    return found ^ (found >> np.uint64(33))


class _WordHashes(dict[str, int]):
    """Hashes of words, the same in every process."""

    def __missing__(self, word: str) -> int:
        self[word] = number = int.from_bytes(blake2b(word.encode(), digest_size=8).digest())
        return number
