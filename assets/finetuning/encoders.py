"""transformers' Trainer as the objectives of encoders use it. Heavy: imported inside jobs only."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from transformers import Trainer, TrainingArguments

from assets.finetuning.losses import Loss

if TYPE_CHECKING:
    from assets.finetuning.training import Row, Training


def encoder_trainer(
    training: "Training",
    encoded: "Callable[[list[Row]], list[Row]]",
    collator: Callable[[list[Any]], Any],
    loss: Callable[[float], Loss],
) -> Trainer:
    """Return the trainer of an encoder with a head.

    Args:
        training: what is trained.
        encoded: makes the model's inputs and `labels` of rows of training_examples.
        collator: pads a batch to its own longest row.
        loss: makes the loss for a label_smoothing_factor.
    """
    arguments = training.arguments
    return Trainer(
        model=training.model,
        args=TrainingArguments(**arguments, label_names=["labels"]),
        train_dataset=encoded(training.train),  # type: ignore[arg-type]
        eval_dataset=encoded(training.eval) or None,  # type: ignore[arg-type]
        processing_class=training.tokenizer,
        data_collator=collator,
        compute_loss_func=loss(arguments["label_smoothing_factor"]),
        callbacks=training.callbacks,
    )
