"""How well a model foresees the author's own words: loss on what the test split would teach.

A row's score: `{"id": "5f0c…", "nats": 412.7, "tokens": 131, "hits": 44, "bytes": 502}`.
"""

import math
from collections.abc import Mapping, Sequence

from assets.charts import blank, png
from assets.discovery import Options as PluginOptions
from assets.evaluation.arms import Arm, Scores
from assets.evaluation.protocol import Direction, Shown
from assets.evaluation.test_set import TestSet
from assets.records import Row

EXAMPLES = ("chat", "plain")
MODELS = ("causal",)
DEFAULT = True
HEADLINE = "held_out_loss"
GATE = "bits_per_byte"
METRICS: dict[str, Direction] = {
    "held_out_loss": "lower",  # nats a completion token, weighted by tokens
    "token_accuracy": "higher",  # share of completion tokens that are the most likely one
    "bits_per_byte": "lower",  # compares models with different tokenizers
}


class Options(PluginOptions):
    """Keys that this benchmark adds to `evaluation:`."""

    loss_batch_size: int = 8  # rows at once: more is faster on a GPU and takes more memory


def run(arm: Arm, test: TestSet, options: Options, seed: int) -> Scores:
    """Return loss, accuracy and bits per byte through lm-eval."""
    from assets.evaluation.harness import score_completions

    return Scores(*score_completions(arm, test, options.loss_batch_size))


def references(test: TestSet, options: Options) -> dict[str, Scores]:
    """Return nothing: a loss needs a model."""
    return {}


def headline(rows: Sequence[Row]) -> float:
    """Return the loss over these rows, in nats a token."""
    return _ratio(rows, "tokens")


def gate(rows: Sequence[Row]) -> float:
    """Return the bits a byte over these rows."""
    return _ratio(rows, "bytes") / math.log(2)


def describe(options: Options) -> str:
    """Return how it was measured, for the report."""
    return (
        "held_out_loss: lm-eval, log-likelihood of the completions of the test split given their "
        "prompts, with the end token; of a text without a prompt, all tokens but the first. The "
        "token ids are those of training_examples."
    )


def pictures(test: TestSet, scores: Mapping[str, Scores]) -> dict[str, bytes]:
    """Return how the loss spreads over the rows, before and after tuning."""
    figure, axes = blank(
        "Loss of each test row: below the line tuned is better", "base, nats a token", "tuned"
    )
    base, tuned = ([headline([row]) for row in scores[arm].rows] for arm in ("base", "tuned"))
    low, high = min(base + tuned), max(base + tuned)
    axes.plot([low, high], [low, high], color="#adb5bd", linewidth=1, linestyle="--")
    axes.scatter(base, tuned, s=12, color="#4c6ef5", alpha=0.7)
    return {"loss_by_row": png(figure)}


def shown(test: TestSet, scores: Mapping[str, Scores], count: int) -> list[Shown]:
    """Return nothing: a loss writes no text."""
    return []


def _ratio(rows: Sequence[Row], unit: str) -> float:
    amount = math.fsum(row[unit] for row in rows)  # type: ignore[arg-type]
    return math.fsum(row["nats"] for row in rows) / amount  # type: ignore[arg-type]
