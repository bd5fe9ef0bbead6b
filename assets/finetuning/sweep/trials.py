"""A small sweep: one trial for each combination of settings, and the best of them by eval loss.

sweep: {learning_rate: [1.0e-4, 3.0e-4], lora_r: [4, 16]}     four trials
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assets.finetuning.config import FinetuningConfig
from assets.fit import curve

MOST_TRIALS = 24  # each is a whole training


@dataclass(frozen=True)
class Trial:
    """One combination of settings."""

    name: str  # "trial_1"
    settings: Mapping[str, Any]  # what it sets otherwise than the others
    config: FinetuningConfig

    def described(self) -> str:
        """Return the settings in words: "learning_rate 0.0003, lora_r 4"."""
        return ", ".join(f"{name} {value}" for name, value in self.settings.items())


def trials(config: FinetuningConfig) -> list[Trial]:
    """Return the trials of a sweep, none where there is no sweep.

    Raises ValueError for a key or a value that the section would not take, and for too many trials.
    """
    if not config.sweep:
        return []
    names, choices = list(config.sweep), list(config.sweep.values())
    combinations = [dict(zip(names, values, strict=True)) for values in itertools.product(*choices)]
    if not 2 <= len(combinations) <= MOST_TRIALS:
        raise ValueError(
            f"sweep makes {len(combinations)} trials; from 2 to {MOST_TRIALS} are possible: "
            "name other values, or fewer"
        )
    plain = config.model_dump() | {"sweep": None}
    return [
        Trial(f"trial_{number}", settings, FinetuningConfig(**{**plain, **settings}))
        for number, settings in enumerate(combinations, 1)
    ]


def eval_loss(manifest: Mapping[str, Any]) -> float:
    """Return the eval loss of the weights that a training published.

    Raises ValueError where none was read, for then trials cannot be told apart.
    """
    read = [value for _, value in curve(manifest["history"], "eval_loss")]
    if not read:
        raise ValueError(
            "a trial read no eval loss, by which the best is chosen: raise extraction.split.eval"
        )
    kept_the_best = manifest["settings"]["early_stopping_patience"]
    return min(read) if kept_the_best else read[-1]


def best(manifests: Sequence[Mapping[str, Any]]) -> int:
    """Return the index of the manifest with the lowest eval loss, the first of equals."""
    losses = [eval_loss(manifest) for manifest in manifests]
    return losses.index(min(losses))
