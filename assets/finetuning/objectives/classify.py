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
    """Return transformers' trainer; a batch is padded to its own longest row."""
    from transformers import DataCollatorWithPadding, Trainer, TrainingArguments

    from assets.finetuning.losses import cross_entropy

    arguments = training.arguments
    return Trainer(
        model=training.model,
        args=TrainingArguments(**arguments, label_names=["labels"]),
        train_dataset=_rows(training.train),  # type: ignore[arg-type]
        eval_dataset=_rows(training.eval) or None,  # type: ignore[arg-type]
        processing_class=training.tokenizer,
        data_collator=DataCollatorWithPadding(training.tokenizer),
        compute_loss_func=cross_entropy(arguments["label_smoothing_factor"]),
        callbacks=training.callbacks,
    )


def _rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"input_ids": row["input_ids"], "labels": row["labels"][0]} for row in rows]
