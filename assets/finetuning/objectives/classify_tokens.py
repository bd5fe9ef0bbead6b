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
    """Return transformers' trainer; a batch and its labels are padded to its own longest row."""
    from transformers import DataCollatorForTokenClassification, Trainer, TrainingArguments

    from assets.finetuning.losses import cross_entropy

    arguments = training.arguments
    return Trainer(
        model=training.model,
        args=TrainingArguments(**arguments, label_names=["labels"]),
        train_dataset=_rows(training.train),  # type: ignore[arg-type]
        eval_dataset=_rows(training.eval) or None,  # type: ignore[arg-type]
        processing_class=training.tokenizer,
        data_collator=DataCollatorForTokenClassification(training.tokenizer),
        compute_loss_func=cross_entropy(arguments["label_smoothing_factor"]),
        callbacks=training.callbacks,
    )


def _rows(rows: "list[Row]") -> "list[Row]":
    return [{"input_ids": row["input_ids"], "labels": row["labels"]} for row in rows]
