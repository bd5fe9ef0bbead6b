"""How well a classifier tells the labels apart, beside a TF-IDF baseline on the same split.

A row's score: `{"id": "5f0c…", "label": 1, "probabilities": [0.03, 0.97]}`.
"""

from collections.abc import Mapping, Sequence
from typing import cast

from pydantic import Field

from assets.discovery import Options as PluginOptions
from assets.evaluation.arms import Arm, Scores
from assets.evaluation.baseline import Probabilities, tfidf_probabilities
from assets.evaluation.class_figures import confusion, figures, rank_auc, reliability
from assets.evaluation.class_plots import calibration_plot, confusion_plot
from assets.evaluation.protocol import Direction, Shown
from assets.evaluation.test_set import TestSet
from assets.records import Row

EXAMPLES = ("text",)
MODELS = ("sequence",)
DEFAULT = True
HEADLINE = GATE = "roc_auc"
METRICS: dict[str, Direction] = {
    "accuracy": "higher",
    "roc_auc": "higher",  # two classes: of the last label; more: the mean of one against the rest
    "f1": "higher",  # two classes: of the last label; more: the mean
    "log_loss": "lower",
    "brier": "lower",
    "calibration_error": "lower",  # how far confidence is from being right, ten bins
}


_PICTURED = ("base", "baseline", "tuned")


class Options(PluginOptions):
    """Keys that this benchmark adds to `evaluation:`."""

    classification_batch_size: int = Field(16, ge=1)  # texts at once, sorted by length


def run(arm: Arm, test: TestSet, options: Options, seed: int) -> Scores:
    """Return the figures of one model over the test split."""
    from assets.evaluation.inference import logits

    inputs = [{"input_ids": arm.text_ids(test, row)} for row in test.rows]
    made = logits(arm, inputs, options.classification_batch_size)
    return _scores(test, [row.softmax(-1).tolist() for row in made])


def references(test: TestSet, options: Options) -> dict[str, Scores]:
    """Return what TF-IDF and logistic regression reach, learnt from the train split."""
    made = tfidf_probabilities(
        [row.text for row in test.train],
        [row.labels[0] for row in test.train],
        [row.text for row in test.rows],
        len(test.classes()),
    )
    return {"baseline": _scores(test, made)}


def headline(rows: Sequence[Row]) -> float:
    """Return the ROC-AUC over these rows; nan where they lack a class."""
    import numpy as np

    table, wanted = np.asarray(_probabilities(rows)), np.asarray(_wanted(rows))
    judged = range(1, 2) if table.shape[1] == 2 else range(table.shape[1])
    return float(np.mean([rank_auc(wanted == index, table[:, index]) for index in judged]))


def describe(options: Options) -> str:
    """Return how it was measured, for the report."""
    return (
        "classification: the softmax over the labels for every row of the test split. The base "
        "model has a new, untrained head. The baseline is TF-IDF (word 1-2-grams, character 2-5-"
        "grams) with logistic regression, learnt from the train split."
    )


def pictures(test: TestSet, scores: Mapping[str, Scores]) -> dict[str, bytes]:
    """Return the calibration curves, and the confusion matrix of each arm."""
    table = {a: (_wanted(scores[a].rows), _probabilities(scores[a].rows)) for a in _PICTURED}
    return {
        "calibration": calibration_plot({arm: reliability(*seen) for arm, seen in table.items()}),
        "confusion": confusion_plot(
            {arm: confusion(*seen) for arm, seen in table.items()}, test.classes()
        ),
    }


def shown(test: TestSet, scores: Mapping[str, Scores], count: int) -> list[Shown]:
    """Return the rows that the tuned model got wrong most surely, then some that it got right."""
    rows = scores["tuned"].rows
    missing = {index: _right(row) for index, row in enumerate(rows)}  # probability of the truth
    worst = sorted(missing, key=lambda i: (missing[i], i))
    wrong = [i for i in worst if not _is_right(rows[i])][: max(1, count // 2)]
    good = [i for i in missing if _is_right(rows[i])][: count - len(wrong)]
    return [_shown(test, scores, index) for index in (*wrong, *good)]


def _scores(test: TestSet, table: Probabilities) -> Scores:
    test.classes()
    wanted = [row.labels[0] for row in test.rows]
    rows: list[Row] = [
        {"id": row.id, "label": label, "probabilities": probabilities}
        for row, label, probabilities in zip(test.rows, wanted, table, strict=True)
    ]
    return Scores(figures(wanted, table), rows)


def _shown(test: TestSet, scores: Mapping[str, Scores], index: int) -> Shown:
    classes, row = test.classes(), test.rows[index]
    answers = {arm: _answer(classes, scores[arm].rows[index]) for arm in _PICTURED}
    return {"prompt": row.text, "reference": classes[row.labels[0]], **answers}


def _answer(classes: list[str], row: Row) -> str:
    probability, index = max((p, i) for i, p in enumerate(_probabilities([row])[0]))
    return f"{classes[index]} ({probability:.0%} sure)"


def _right(row: Row) -> float:
    return _probabilities([row])[0][_wanted([row])[0]]


def _is_right(row: Row) -> bool:
    return _right(row) == max(_probabilities([row])[0])


def _probabilities(rows: Sequence[Row]) -> Probabilities:
    return [cast(list[float], row["probabilities"]) for row in rows]


def _wanted(rows: Sequence[Row]) -> list[int]:
    return [cast(int, row["label"]) for row in rows]
