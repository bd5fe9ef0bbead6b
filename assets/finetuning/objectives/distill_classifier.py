"""A small classifier learns from a large one and from the labels (Hinton et al. 2015).

loss = alpha * T² * KL(teacher at T || student at T) + (1 - alpha) * cross-entropy

A row is one of `classify`, with what the teacher said of it beside it:
`{"input_ids": [101, 4638, 102], "labels": 1, "teacher_logits": [-1.2, 2.3]}`. The teacher reads
each row once, before the training starts, by its own tokenizer. alpha: 0 is the same student
without a teacher.
"""

from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from assets.discovery import Options as PluginOptions
from assets.models import parse_base_model

if TYPE_CHECKING:
    from transformers import Trainer

    from assets.finetuning.training import Training

EXAMPLES = "text"
MODEL = "sequence"  # what is loaded: a ModelKind
VERSION = "1"
LOSS_IS_SUMMED = True  # over all that a step learns, however it is cut


class Options(PluginOptions):
    """From whom the student learns, how much, and how large it is."""

    teacher_model: str | None = None  # as base_model is named; pipeline:NAME for another's champion
    # Of both models' probabilities: higher shows more of what the teacher holds for nearly right.
    temperature: float = Field(default=2.0, gt=0)
    alpha: float = Field(default=0.5, ge=0, le=1)  # the teacher's share of the loss; 0: labels only
    # So many of the base's layers are kept, taken evenly; None: all. Fewer: smaller and faster.
    student_layers: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _has_a_teacher(self) -> "Options":
        if self.teacher_model is None and self.alpha > 0:
            raise ValueError(
                f"alpha {self.alpha:g} is the share of a teacher, and there is none: name one as "
                "teacher_model (pipeline:NAME, a hub id, a folder), or set alpha: 0"
            )
        if self.teacher_model and parse_base_model(self.teacher_model).kind == "scratch":
            raise ValueError(
                "teacher_model 'scratch' has learnt nothing: name a trained classifier"
            )
        return self


def trainer(training: "Training") -> "Trainer":
    """Return the trainer over rows that hold what the teacher said of them."""
    from assets.finetuning.distillation import distilling_trainer

    return distilling_trainer(training)
