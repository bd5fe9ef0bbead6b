"""What a tuned model is asked: which rows it reads, what kind of model answers, with which labels.

    sft        rows "chat", model "causal"           classify   rows "text", model "sequence"
    dpo        rows "preference", model "causal"     reward     rows "preference", model "score"

Evaluation and registration go by this and never by the objective, so that a new one needs nothing
of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Question:
    """Two models whose questions are equal can be measured against each other."""

    rows: str  # the kind of training examples
    model: str  # the kind of model: assets.loading.models.ModelKind
    labels: tuple[str, ...] = ()  # of a classifier


def question_of(manifest: Mapping[str, Any]) -> Question:
    """Return what a `fine_tuned_model` is asked, by its manifest.

    Manifests of the first versions name neither rows nor kind: they have labels, or write text.
    """
    labels = tuple(manifest["labels"] or ())
    rows, model = ("text", "sequence") if labels else ("chat", "causal")
    return Question(manifest.get("examples", rows), manifest.get("model_kind", model), labels)
