"""A label for each token, such as names and personal data, by transformers' Trainer.

A row is `{"input_ids": [101, 4717, 8, 102], "labels": [-100, 0, 2, -100]}`: the index of a BIO
label for each token, and nothing to learn at the special ones.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import Trainer

    from assets.finetuning.training import Row, Training

EXAMPLES = "tokens"
MODEL = "tokens"  # what is loaded: a ModelKind
VERSION = "1"
LOSS_IS_SUMMED = True  # over all that a step learns, however it is cut


def trainer(training: "Training") -> "Trainer":
    """Return transformers' trainer over the label of each token."""
    from transformers import DataCollatorForTokenClassification

    from assets.finetuning.encoders import encoder_trainer
    from assets.finetuning.losses import cross_entropy

    collator = DataCollatorForTokenClassification(training.tokenizer)
    return encoder_trainer(training, _rows, collator, cross_entropy)


def _rows(rows: "list[Row]") -> "list[Row]":
    return [{"input_ids": row["input_ids"], "labels": row["labels"]} for row in rows]
