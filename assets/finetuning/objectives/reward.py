"""A reward model (Ouyang et al. 2022): a score head over the base, by TRL's RewardTrainer.

It reads rows of `dpo` and learns to score the wanted answer higher: -log(sigmoid(wanted - other)),
each score read at the last token that is no padding.
"""

from typing import TYPE_CHECKING

from pydantic import Field

from assets.discovery import Options as PlugInOptions

if TYPE_CHECKING:
    from transformers import Trainer

    from assets.finetuning.training import Training

EXAMPLES = "preference"
MODEL = "score"
LIBRARIES = ("trl.trainer.reward_trainer",)  # what its trainer loads
VERSION = "1"
IGNORES = {"label_smoothing_factor": "a reward model compares two scores and has no label"}


class Options(PlugInOptions):
    """The keys of `finetuning:` that belong to this objective."""

    # Above 0 pulls the scores' mean to 0, so that those of different prompts can be compared.
    center_rewards_coefficient: float = Field(default=0.01, ge=0)


def trainer(training: "Training") -> "Trainer":
    """Return TRL's trainer over rows that are rendered and tokenised already."""
    from datasets import Dataset
    from trl.trainer.reward_config import RewardConfig
    from trl.trainer.reward_trainer import RewardTrainer

    _pad_with_what_ends_no_row(training)
    arguments = RewardConfig(
        **training.arguments,
        max_length=None,  # templating has cut and counted; TRL would leave long rows out
        center_rewards_coefficient=training.options.center_rewards_coefficient,
        disable_dropout=False,  # `dropout` and `lora_dropout` say
    )
    names = {"chosen_input_ids": "chosen_ids", "rejected_input_ids": "rejected_ids"}
    train, evaluation = (
        Dataset.from_list([{new: row[old] for old, new in names.items()} for row in rows])
        for rows in (training.train, training.eval)
    )
    return RewardTrainer(
        model=training.model,
        args=arguments,
        train_dataset=train,
        eval_dataset=evaluation if len(evaluation) else None,
        processing_class=training.tokenizer,
        callbacks=training.callbacks,
    )


def _pad_with_what_ends_no_row(training: "Training") -> None:
    """Choose another padding token where rows end with it: the model finds their end by its id."""
    tokenizer = training.tokenizer
    ends = {
        row[name][-1]
        for row in training.train + training.eval
        for name in ("chosen_input_ids", "rejected_input_ids")
    }
    ends.add(tokenizer.eos_token_id)
    if tokenizer.pad_token_id in ends:
        free = (i for i in [*tokenizer.all_special_ids, *range(len(tokenizer))] if i not in ends)
        tokenizer.pad_token = tokenizer.convert_ids_to_tokens(next(free))
