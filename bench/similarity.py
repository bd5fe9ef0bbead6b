"""`python -m bench.similarity [--documents N]`: near-duplicates and novelty among N short texts.

One text in five copies an earlier one and changes up to five of its words. All texts go through our
near-duplicates (Jaccard index of word pairs, 0.8), our novelty filter (ROUGE-L, 0.7) and, as the
peer, the deduplicator of rensa, each in a process of its own. A planted pair that is too much
alike by the exact measure is found where not both texts were kept. On a small set every two texts
are compared one by one as well, and the same ones must be dropped. The exit code is 1 where they
are not, below a recall of 0.98, or above 4 GB.
"""

import argparse
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np

from assets.similarity.near_duplicates import jaccard, near_duplicates
from assets.similarity.novelty import not_novel, rouge_l
from assets.similarity.words import word_pairs

Texts = list[tuple[int, str]]
Dropped = set[int]
VOCABULARY, MEAN_WORDS, COPIES, SEED = 50_000, 15, 0.2, 7
NEAR, NOVEL = 0.8, 0.7
COMPARED = 2_000  # texts of which every two are compared
LEAST_RECALL, MOST_GIGABYTES = 0.98, 4.0


@dataclass(frozen=True)
class Figures:
    """What one way of sorting out did."""

    seconds: float
    cpu_seconds: float
    gigabytes: float  # the most that the process held, the texts included
    dropped: Dropped
    recall: float  # of the planted pairs that the exact measure finds too much alike
    alike: int  # such pairs


def main() -> int:
    """Measure, print a line each, and return the exit code."""
    parser = argparse.ArgumentParser(prog="bench.similarity")
    parser.add_argument("--documents", type=int, default=1_000_000)
    documents = parser.parse_args().documents
    print(f"{documents:,} texts of about {MEAN_WORDS} words".ljust(44), end="")
    print("documents/s  seconds  CPU s  peak GB    dropped   recall")
    ours = [_line(way, documents) for way in OURS]
    _line("rensa's deduplicator", documents)
    print(f"{COMPARED:,} texts")
    same = all(
        _line(way, COMPARED).dropped == _line(f"{way}, one by one", COMPARED).dropped
        for way in OURS
    )
    print(f"one by one and ours drop the same texts: {'yes' if same else 'no'}")
    fine = all(f.recall >= LEAST_RECALL and f.gigabytes <= MOST_GIGABYTES for f in ours)
    return 0 if fine and same else 1


def _line(way: str, documents: int) -> Figures:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        f = pool.submit(measure, way, documents).result()
    print(
        f"- {way:<42}{documents / f.seconds:>11,.0f}{f.seconds:>9.1f}{f.cpu_seconds:>7.1f}"
        f"{f.gigabytes:>9.2f}{len(f.dropped):>11,}{f.recall:>9.4f}   of {f.alike:,} pairs",
        flush=True,
    )
    return f


def measure(way: str, documents: int) -> Figures:
    """Return what one way takes and finds."""
    texts, planted = made_texts(documents)
    drop, likeness, limit = WAYS[way]
    began, cpu_began = time.perf_counter(), time.process_time()
    dropped = drop(texts)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    alike = [p for p in planted if likeness(texts[p[0]][1], texts[p[1]][1]) >= limit]
    found = sum(one in dropped or other in dropped for one, other in alike)
    return Figures(seconds, cpu_seconds, gigabytes, dropped, found / max(1, len(alike)), len(alike))


def made_texts(documents: int) -> tuple[Texts, list[tuple[int, int]]]:
    """Return texts of words drawn by Zipf's law, and which are an earlier one with changes."""
    rng = np.random.default_rng(SEED)
    chance = 1 / np.arange(1, VOCABULARY + 1)
    words = np.array([f"{n:x}" for n in rng.permutation(VOCABULARY)])
    sizes = rng.poisson(MEAN_WORDS - 4, documents) + 4
    drawn = rng.choice(VOCABULARY, sizes.sum(), p=chance / chance.sum())
    texts: Texts = []
    planted = []
    start = 0
    for number, size in enumerate(sizes.tolist()):
        text = drawn[start : start + size]
        start += size
        if number and rng.random() < COPIES:
            earlier = int(rng.integers(number))
            planted.append((number, earlier))
            known = texts[earlier][1].split()
            for place, word in zip(rng.integers(len(known), size=5), text, strict=False):
                if rng.random() < 0.3:
                    known[place] = str(words[word])
            texts.append((number, " ".join(known)))
        else:
            texts.append((number, " ".join(words[text].tolist())))
    return texts, planted


def _rensa(texts: Texts) -> Dropped:
    """Return what rensa drops with as many bands as find nearly all pairs at the limit."""
    from rensa import RMinHashDeduplicator  # pyright: ignore[reportAttributeAccessIssue]

    held = RMinHashDeduplicator(NEAR, 125, True, 25, SEED)
    kept: set[int] = set()
    for first in range(0, len(texts), 10_000):
        chunk = texts[first : first + 10_000]
        added = held.add_pairs([(str(id), list(word_pairs(text))) for id, text in chunk])
        kept |= {id for (id, _), new in zip(chunk, added, strict=True) if new}
    return {id for id, _ in texts} - kept


def _one_by_one(likeness: Callable[[str, str], float], limit: float) -> Callable[[Texts], Dropped]:
    def drop(texts: Texts) -> Dropped:
        kept: list[str] = []
        dropped = set()
        for id, text in texts:
            if any(likeness(text, other) >= limit for other in kept):
                dropped.add(id)
            else:
                kept.append(text)
        return dropped

    return drop


OURS = ("near-duplicates", "novelty")
WAYS: dict[str, tuple[Callable[[Texts], Dropped], Callable[[str, str], float], float]] = {
    "near-duplicates": (lambda texts: set(near_duplicates(texts, NEAR)), jaccard, NEAR),
    "novelty": (lambda texts: set(not_novel(texts, NOVEL)), rouge_l, NOVEL),
    "rensa's deduplicator": (_rensa, jaccard, NEAR),
    "near-duplicates, one by one": (_one_by_one(jaccard, NEAR), jaccard, NEAR),
    "novelty, one by one": (_one_by_one(rouge_l, NOVEL), rouge_l, NOVEL),
}

if __name__ == "__main__":
    sys.exit(main())
