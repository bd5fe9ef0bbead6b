"""Classification by an encoder with a new head, by transformers' Trainer.

A row is `{"input_ids": [101, 4638, 102], "labels": [1]}`: the index of one class.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import Trainer

    from assets.finetuning.training import Training

EXAMPLES = "text"
MODEL = "sequence"  # what is loaded: a ModelKind
VERSION = "2"
LOSS_IS_SUMMED = True  # over all that a step learns, however it is cut


def trainer(training: "Training") -> "Trainer":
    """Return transformers' trainer over the classes."""
    from transformers import DataCollatorWithPadding

    from assets.finetuning.encoders import encoder_trainer
    from assets.finetuning.losses import cross_entropy

    collator = DataCollatorWithPadding(training.tokenizer)
    return encoder_trainer(training, _rows, collator, cross_entropy)


def _rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"input_ids": row["input_ids"], "labels": row["labels"][0]} for row in rows]
