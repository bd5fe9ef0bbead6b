"""Direct preference optimisation (Rafailov et al. 2023) of a causal model, by TRL's DPOTrainer.

A row holds prompt and wanted answer as `chosen_input_ids` with `chosen_labels`, -100 on the prompt,
and the same of the answer that is not wanted. The reference is the model before its first step:
what it gives the answers is computed once, so that no second model is kept and no row is encoded
twice in every epoch.
"""

from os.path import commonprefix
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from assets.discovery import Options as PlugInOptions

if TYPE_CHECKING:
    from transformers import Trainer

    from assets.finetuning.training import Row, Training

EXAMPLES = "preference"
MODEL = "causal"
LIBRARIES = ("trl.trainer.dpo_trainer",)  # what its trainer loads
VERSION = "1"
_NOISE = "the log-probabilities that dpo compares are computed without dropout"
IGNORES = {
    "label_smoothing_factor": "dpo has no label to smooth; loss_type: ipo is the careful one",
    "dropout": _NOISE,
    "lora_dropout": _NOISE,
}


class Options(PlugInOptions):
    """The keys of `finetuning:` that belong to this objective."""

    beta: float = Field(default=0.1, gt=0)  # higher stays closer to the base
    # sigmoid       the paper's; goes on widening the margin of pairs that it has right
    # sigmoid_norm  the same a token: long answers win nothing by their length
    # hinge         stops at a margin of 1 / beta
    # ipo           aims at one margin: over-fits less where the pairs are certain
    # apo_zero      also makes the wanted answer likelier in itself
    loss_type: Literal["sigmoid", "sigmoid_norm", "hinge", "ipo", "apo_zero"] = "sigmoid"
    sft_weight: float = Field(default=0.0, ge=0)  # learns the wanted answer too, against its decay


def trainer(training: "Training") -> "Trainer":
    """Return TRL's trainer over rows that are rendered and tokenised already."""
    from datasets import Dataset, disable_progress_bars
    from trl.trainer.dpo_config import DPOConfig

    from assets.finetuning.preferences import RenderedDPOTrainer, shared

    disable_progress_bars()
    options = training.options
    arguments = DPOConfig(
        **training.arguments,
        max_length=None,  # templating has cut and counted
        beta=options.beta,
        loss_type=[options.loss_type, "sft"],
        loss_weights=[1.0, options.sft_weight],
        precompute_ref_log_probs=True,
    )
    folder = Path(training.arguments["output_dir"])
    train, evaluation = (
        shared(Dataset.from_list([completions(row) for row in rows]), folder / split)
        for split, rows in (("train", training.train), ("eval", training.eval))
    )
    return RenderedDPOTrainer(
        model=training.model.eval(),  # the reference has no dropout; training sets its own mode
        args=arguments,
        train_dataset=train,
        eval_dataset=evaluation if len(evaluation) else None,
        processing_class=training.tokenizer,
        callbacks=training.callbacks,
    )


def completions(row: "Row") -> dict[str, Any]:
    """Return prompt and answers apart, as TRL wants them; what follows an answer is left out."""
    chosen, rejected = (_learnt(row[f"{which}_labels"]) for which in ("chosen", "rejected"))
    ids = row["chosen_input_ids"], row["rejected_input_ids"]
    prompt = commonprefix([ids[0][: chosen.start], ids[1][: rejected.start]])  # noqa: RUF071 - ids
    return {
        "prompt_ids": list(prompt),
        "chosen_ids": ids[0][len(prompt) : chosen.stop],
        "rejected_ids": ids[1][len(prompt) : rejected.stop],
    }


def _learnt(labels: list[int]) -> slice:
    places = [place for place, label in enumerate(labels) if label != -100]
    return slice(places[0], places[-1] + 1)
