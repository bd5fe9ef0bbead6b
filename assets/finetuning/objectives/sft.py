"""Supervised fine-tuning of a causal model on completions, by TRL's SFTTrainer.

A row is `{"input_ids": [1, 5, 9, 2], "labels": [-100, -100, 9, 2]}`: already rendered, so
that training sees the very tokens that the preflight saw.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import Trainer

    from assets.finetuning.training import Training

EXAMPLES = "chat"  # what templating renders for it
MODEL = "causal"  # what is loaded: a ModelKind
LIBRARIES = ("trl.trainer.sft_trainer",)  # what its trainer loads
VERSION = "2"
LOSS_IS_SUMMED = True  # over all that a step learns, however it is cut
LABELLED_ONLY = True  # no other position reaches the vocabulary


def trainer(training: "Training") -> "Trainer":
    """Return TRL's trainer over rows that are rendered and tokenised already."""
    from datasets import Dataset
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    from assets.finetuning.loss_head import LabelledLoss

    class LabelledTrainer(LabelledLoss, SFTTrainer):
        """TRL's trainer with the loss over labelled positions only."""

    columns = ("input_ids", "labels")
    train, evaluation = (
        Dataset.from_list([{c: row[c] for c in columns} for row in rows])
        for rows in (training.train, training.eval)
    )
    arguments = SFTConfig(
        **training.arguments,
        max_length=None,  # templating has cut and counted; TRL would cut at 1024 and say nothing
        dataset_kwargs={"skip_prepare_dataset": True},
        model_init_kwargs=None,
    )
    return LabelledTrainer(
        model=training.model,  # type: ignore[arg-type]
        args=arguments,
        train_dataset=train,
        eval_dataset=evaluation if len(evaluation) else None,
        processing_class=training.tokenizer,
        callbacks=training.callbacks,
    )
