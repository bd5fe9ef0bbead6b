"""What a file of `benchmarks/` offers: one measure, run on one arm at a time.

A benchmark's samples, as the report shows them:

    {"prompt": "why backfills fail", "reference": "…the author's post", "base": "…", "tuned": "…"}
"""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, cast

from assets.discovery import Options, find
from assets.evaluation.arms import Arm, Scores
from assets.evaluation.config import BENCHMARKS
from assets.evaluation.test_set import TestSet
from assets.records import Row

Direction = Literal["higher", "lower", "neutral"]  # which is better; neutral describes only
Shown = dict[str, str]  # prompt, reference, base, tuned


class Benchmark(Protocol):
    """A module of `benchmarks/`; its `Options` are keys of the `evaluation:` section.

    It may offer `beside_base(tuned_rows, base_rows)`: metrics of the tuned model that take both;
    and `gate(rows)`: the metric GATE over any rows, where that is another than HEADLINE.
    """

    EXAMPLES: tuple[str, ...]  # the kinds of rows that it measures on
    MODELS: tuple[str, ...]  # the kinds of models that it measures
    DEFAULT: bool  # whether it is run where the pipeline names no benchmarks
    HEADLINE: str | None  # the metric that the verdict speaks of
    GATE: str | None  # the metric that promotion goes by, where the pipeline names none
    METRICS: Mapping[str, Direction]

    def run(self, arm: Arm, test: TestSet, options: Options, seed: int) -> Scores:
        """Return the scores of one arm."""
        ...

    def references(self, test: TestSet, options: Options) -> dict[str, Scores]:
        """Return what the arms are held against that is no model of ours."""
        ...

    def headline(self, rows: Sequence[Row]) -> float:
        """Return the headline metric over any rows; nan where they cannot tell."""
        ...

    def describe(self, options: Options) -> str:
        """Return how it was measured, one sentence for the report."""
        ...

    def pictures(self, test: TestSet, scores: Mapping[str, Scores]) -> dict[str, bytes]:
        """Return PNGs by name."""
        ...

    def shown(self, test: TestSet, scores: Mapping[str, Scores], count: int) -> list[Shown]:
        """Return at most `count` test rows to show side by side."""
        ...


def benchmark(name: str) -> Benchmark:
    """Return a benchmark; raises ValueError that lists the names that exist."""
    return cast(Benchmark, find(BENCHMARKS, name))
