"""Whether a model prefers the answers that people chose over those that they rejected.

A row's score: `{"id": "5f0c…", "chosen": -1.21, "rejected": -1.87, "chosen_total": -24.2,
"rejected_total": -31.8}`: of a causal model log-probabilities, the totals of whole answers and the
others of a token; of a score model its scores.
"""

import math
from collections.abc import Mapping, Sequence
from typing import cast

from pydantic import Field

from assets.charts import BLUE, ORANGE, blank, png
from assets.discovery import Options as PluginOptions
from assets.evaluation.arms import Arm, Scores
from assets.evaluation.preference_baseline import Pair, liked
from assets.evaluation.protocol import Direction, Shown
from assets.evaluation.test_set import IGNORED, TestSet, first_foreseen, without_template
from assets.records import PreferenceExample, Row

EXAMPLES = ("preference",)
MODELS = ("causal", "score")
DEFAULT = True
HEADLINE = GATE = "preference_accuracy"
METRICS: dict[str, Direction] = {
    "preference_accuracy": "higher",  # share of pairs whose chosen answer is above; ties half
    "preference_accuracy_total": "higher",  # causal: by whole answers, which favours short ones
    "preference_margin": "neutral",  # mean of chosen minus rejected
    "bradley_terry_loss": "lower",  # score: -log sigmoid(margin), what a reward model is trained on
    # causal: share whose chosen answer gained more on the base than the rejected one; DPO trains
    # this (Rafailov et al. 2023)
    "implicit_reward_accuracy": "higher",
}
Test = TestSet[PreferenceExample]


class Options(PluginOptions):
    """Keys that this benchmark adds to `evaluation:`."""

    preference_batch_size: int = Field(8, ge=1)  # answers at once


def run(arm: Arm, test: Test, options: Options, seed: int) -> Scores:
    """Return the accuracy of one model over the pairs of the test split."""
    sequences = [
        arm.encoded(test, row.id, ids, labels)
        for row in test.rows
        for ids, labels in (
            (row.chosen_input_ids, row.chosen_labels),
            (row.rejected_input_ids, row.rejected_labels),
        )
    ]
    if arm.kind == "score":
        return _by_score(arm, test, sequences, options.preference_batch_size)
    return _by_log_probability(arm, test, sequences, options.preference_batch_size)


def references(test: Test, options: Options) -> dict[str, Scores]:
    """Return what TF-IDF and the answers' lengths tell, learnt from the train split."""
    found = liked(
        [_answers(test, row) for row in test.train], [_answers(test, r) for r in test.rows]
    )
    rows: list[Row] = [
        {"id": row.id, "chosen": chosen, "rejected": rejected}
        for row, (chosen, rejected) in zip(test.rows, found, strict=True)
    ]
    return {"baseline": Scores({"preference_accuracy": headline(rows)}, rows)}


def headline(rows: Sequence[Row]) -> float:
    """Return the share of pairs whose chosen answer is above the rejected one."""
    return _share_above_zero([_margin(row) for row in rows])


def beside_base(tuned: Sequence[Row], base: Sequence[Row]) -> dict[str, float]:
    """Return how often the chosen answer gained more by the tuning than the rejected one."""
    if "chosen_total" not in tuned[0]:
        return {}
    gains = [_total(ours) - _total(theirs) for ours, theirs in zip(tuned, base, strict=True)]
    return {"implicit_reward_accuracy": _share_above_zero(gains)}


def describe(options: Options) -> str:
    """Return how it was measured, for the report."""
    return (
        "preferences: every pair of the test split; a causal model is asked for the mean "
        "log-probability of each answer's tokens given the prompt, a score model for its score. "
        "The baseline is logistic regression on TF-IDF and length of chosen minus rejected."
    )


def pictures(test: Test, scores: Mapping[str, Scores]) -> dict[str, bytes]:
    """Return how far chosen and rejected are apart, before and after tuning."""
    figure, axes = blank("Chosen minus rejected: right of zero is right", "margin", "pairs")
    margins = [[_margin(row) for row in scores[arm].rows] for arm in ("base", "tuned")]
    axes.hist(margins, bins=20, color=[ORANGE, BLUE], label=["base", "tuned"])
    axes.axvline(0, color="#adb5bd", linewidth=1, linestyle="--")
    axes.legend(frameon=False, fontsize=7)
    return {"preference_margins": png(figure)}


def shown(test: Test, scores: Mapping[str, Scores], count: int) -> list[Shown]:
    """Return the pairs that the tuned model judges worst, then some that it judges right."""
    order = sorted(range(len(test.rows)), key=lambda i: (_margin(scores["tuned"].rows[i]), i))
    wrong = [i for i in order if _margin(scores["tuned"].rows[i]) <= 0][: max(1, count // 2)]
    right = [i for i in reversed(order) if i not in wrong][: count - len(wrong)]
    prompts = without_template([_prompt(test, row) for row in test.rows])
    return [_shown(test, scores, prompts[i], i) for i in (*wrong, *right)]


def _by_score(
    arm: Arm, test: Test, sequences: list[tuple[list[int], list[int]]], batch_size: int
) -> Scores:
    from assets.evaluation.inference import scores

    made = scores(arm, [{"input_ids": ids} for ids, _ in sequences], batch_size)
    rows: list[Row] = [
        {"id": row.id, "chosen": made[2 * i], "rejected": made[2 * i + 1]}
        for i, row in enumerate(test.rows)
    ]
    losses = [math.log1p(math.exp(-abs(m))) + max(-m, 0.0) for m in map(_margin, rows)]
    return Scores(_shared(rows) | {"bradley_terry_loss": math.fsum(losses) / len(losses)}, rows)


def _by_log_probability(
    arm: Arm, test: Test, sequences: list[tuple[list[int], list[int]]], batch_size: int
) -> Scores:
    from assets.evaluation.inference import foresee

    made = foresee(arm.model, sequences, batch_size)
    rows: list[Row] = [
        {
            "id": row.id,
            "chosen": made[2 * i].log_probability,
            "rejected": made[2 * i + 1].log_probability,
            "chosen_total": -made[2 * i].nats,
            "rejected_total": -made[2 * i + 1].nats,
        }
        for i, row in enumerate(test.rows)
    ]
    by_total = _share_above_zero([_total(row) for row in rows])
    return Scores(_shared(rows) | {"preference_accuracy_total": by_total}, rows)


def _shared(rows: list[Row]) -> dict[str, float]:
    margin = math.fsum(map(_margin, rows)) / len(rows)
    return {"preference_accuracy": headline(rows), "preference_margin": margin}


def _share_above_zero(margins: Sequence[float]) -> float:
    return sum(0.5 if m == 0 else float(m > 0) for m in margins) / len(margins)


def _margin(row: Row) -> float:
    return cast(float, row["chosen"]) - cast(float, row["rejected"])


def _total(row: Row) -> float:
    return cast(float, row["chosen_total"]) - cast(float, row["rejected_total"])


def _answers(test: Test, row: PreferenceExample) -> Pair:
    chosen, rejected = (
        test.decode([label for label in labels if label != IGNORED]).strip()
        for labels in (row.chosen_labels, row.rejected_labels)
    )
    return chosen, rejected


def _prompt(test: Test, row: PreferenceExample) -> str:
    start = first_foreseen(row.id, row.chosen_labels)
    return test.decode(row.chosen_input_ids[:start], special=True)


def _shown(test: Test, scores: Mapping[str, Scores], prompt: str, index: int) -> Shown:
    chosen, rejected = _answers(test, test.rows[index])
    verdicts = {arm: _margin(scores[arm].rows[index]) for arm in ("base", "baseline", "tuned")}
    return {
        "prompt": prompt,
        "reference": f"chosen: {chosen}\n\nrejected: {rejected}",
        **{
            arm: f"{'chosen' if margin > 0 else 'rejected'} (margin {margin:+.3f})"
            for arm, margin in verdicts.items()
        },
    }
