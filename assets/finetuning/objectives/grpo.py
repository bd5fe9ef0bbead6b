"""Group relative policy optimisation (Shao et al. 2024): sampled answers compete for a reward.

A row of `sft` gives the prompt, what stands before its first learnt token, and the expected answer,
what is learnt. The model answers each prompt `num_generations` times; what earned more than its
group's mean becomes likelier. The rewards are files of `assets/finetuning/rewards/`, each
`reward(answer, expected, options)`:

    rewards: {exact_match: 1.0, length: 0.2}
    max_words: 40
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, create_model, field_validator

from assets.discovery import Options as PlugInOptions
from assets.discovery import find, names, options_of

if TYPE_CHECKING:
    from transformers import Trainer

    from assets.finetuning.config import FinetuningConfig
    from assets.finetuning.training import Row, Training

REWARDS = "assets.finetuning.rewards"
EXAMPLES = "chat"
MODEL = "causal"
LIBRARIES = ("trl.trainer.grpo_trainer",)  # what its trainer loads
VERSION = "-".join(["1", *(find(REWARDS, name).VERSION for name in names(REWARDS))])
_NOISE = "answers are sampled by the very model that learns, without noise"
IGNORES = {
    "label_smoothing_factor": "grpo has no labels",
    "neftune_noise_alpha": _NOISE,
    "dropout": _NOISE,
    "lora_dropout": _NOISE,
    "group_by_length": "a batch holds the answers to one prompt after another",
    "early_stopping_patience": "grpo's loss does not say how good the answers are",
}


class _OwnOptions(PlugInOptions):
    """The keys of `finetuning:` that belong to this objective."""

    rewards: dict[str, float] = Field(default={"exact_match": 1.0}, min_length=1)  # name -> weight
    # Answers to a prompt: more tell good from bad more surely, and take as much longer.
    num_generations: int = Field(default=8, ge=2)
    max_completion_length: int = Field(default=256, ge=1)  # tokens; a longer answer is cut
    temperature: float = Field(default=1.0, gt=0)  # lower: answers alike, little to choose from
    beta: float = Field(default=0.0, ge=0)  # pull to the base; above 0 a full model is kept twice
    # dapo     every token of a batch counts the same
    # grpo     every answer does: long bad answers are punished less a token
    # dr_grpo  as dapo, divided by the longest answer that is allowed
    loss_type: Literal["dapo", "grpo", "dr_grpo"] = "dapo"

    @field_validator("rewards")
    @classmethod
    def _exist(cls, rewards: dict[str, float]) -> dict[str, float]:
        for name in rewards:
            find(REWARDS, name)
        return rewards


# A reward's keys are keys of this objective too.
_OF_REWARDS = {name: options_of(REWARDS, name) for name in names(REWARDS)}
Options = create_model(
    "Options",
    __base__=(_OwnOptions, *(o for o in _OF_REWARDS.values() if o is not PlugInOptions)),
    __module__=__name__,
)


def problems(config: "FinetuningConfig") -> list[str]:
    """Return what of the section does not go together."""
    batch = config.per_device_train_batch_size * config.gradient_accumulation_steps
    group = config.options("objective").num_generations
    if batch % group == 0:
        return []
    return [
        f"per_device_train_batch_size × gradient_accumulation_steps is {batch}, which must be a "
        f"multiple of num_generations {group}: a batch holds whole groups of answers"
    ]


def trainer(training: "Training") -> "Trainer":
    """Return TRL's trainer; it is given the prompts' tokens, not their text to render again."""
    from datasets import Dataset
    from trl.trainer.grpo_config import GRPOConfig

    from assets.finetuning.preferences import drop_reference_adapter
    from assets.finetuning.sampling import RenderedGRPOTrainer

    options = training.options
    own = {"num_generations", "max_completion_length", "temperature", "beta", "loss_type"}
    commit = getattr(training.model.config, "_commit_hash", None)  # of a base from a hub
    arguments = GRPOConfig(
        **training.arguments
        | {"logging_steps": training.arguments["logging_steps"] * options.num_generations},
        **options.model_dump(include=own),
        num_generations_eval=1,
        reward_weights=list(options.rewards.values()),
        disable_dropout=True,
        model_init_kwargs={"revision": commit} if commit else None,  # of the base, for `beta`
    )
    _require_a_batch(training, arguments)
    train, evaluation = (
        Dataset.from_list([question(row, training.tokenizer) for row in rows])
        for rows in (training.train, training.eval)
    )
    made = RenderedGRPOTrainer(
        model=training.model,
        reward_funcs=[scorer(name, options) for name in options.rewards],  # type: ignore[arg-type]
        args=arguments,
        train_dataset=train,
        eval_dataset=evaluation if len(evaluation) else None,
        processing_class=training.tokenizer,
        callbacks=training.callbacks,
    )
    drop_reference_adapter(training.model)
    return made


def question(row: "Row", tokenizer: Any) -> dict[str, Any]:
    """Return the tokens before the first learnt one, and the text of the learnt ones."""
    learnt = [label for label in row["labels"] if label != -100]
    start = next(place for place, label in enumerate(row["labels"]) if label != -100)
    expected = str(tokenizer.decode(learnt, skip_special_tokens=True))
    return {"prompt": row["input_ids"][:start], "expected": expected}


def scorer(name: str, options: Any) -> Callable[..., list[float]]:
    """Return a reward as TRL calls it, named as its file."""
    keys = _OF_REWARDS[name]
    own = keys(**{key: getattr(options, key) for key in keys.model_fields})
    reward = find(REWARDS, name).reward

    def score(completions: list[str], expected: list[str], **_: object) -> list[float]:
        return [reward(*pair, own) for pair in zip(completions, expected, strict=True)]

    score.__name__ = name
    return score


def _require_a_batch(training: "Training", arguments: Any) -> None:
    prompts = arguments.generation_batch_size // arguments.num_generations
    if len(training.train) < prompts:
        raise ValueError(
            f"a batch holds {prompts} prompts, there are {len(training.train)} rows to train on: "
            "lower per_device_train_batch_size or gradient_accumulation_steps"
        )
