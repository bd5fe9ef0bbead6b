"""Continued pre-training of a causal model on plain text (Gururangan et al. 2020), by `sft`.

A row is `{"input_ids": [1, 5, 9, 2], "labels": [1, 5, 9, 2]}`: every token is learnt, the end token
too. Padding is added to a batch, masked in attention and labels, so no loss is ever taken on it.
"""

from typing import TYPE_CHECKING

from assets.finetuning.objectives import sft

if TYPE_CHECKING:
    from transformers import Trainer

    from assets.finetuning.training import Training

EXAMPLES = "plain"
MODEL = "causal"
LIBRARIES = ("trl.trainer.sft_trainer",)  # what its trainer loads
VERSION = "1"
LOSS_IS_SUMMED = True  # over all that a step learns, however it is cut
LABELLED_ONLY = True  # no other position reaches the vocabulary


def trainer(training: "Training") -> "Trainer":
    """Return sft's trainer: the rows differ, not how they are learnt."""
    return sft.trainer(training)
