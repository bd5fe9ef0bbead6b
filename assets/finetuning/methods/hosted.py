"""Tuning at a service: the examples leave, a job there trains its model, the model's id comes back.

`base_model` is one of the service's models ("gpt-4.1-mini-2025-04-14"), or one that it has tuned
("ft:gpt-4.1-mini-2025-04-14:…"). There is no `apply`: no weights ever come here.
"""

from collections.abc import Mapping

from pydantic import Field, NonNegativeFloat

from assets.discovery import Options as PluginOptions
from assets.finetuning.hosted.cost import price_of
from assets.finetuning.hosted.files import SERVICE_METHODS

HOSTED = True
VERSION = "1"
_LIES_HERE = ("package:", "pipeline:", "/", ".", "~")


class Options(PluginOptions):
    """What a hosted job is asked with; what is null the service chooses by the data."""

    n_epochs: int = Field(default=3, ge=1, le=50)  # never the service's choice: it bounds the cost
    batch_size: int | None = Field(default=None, ge=1, le=256)  # more: fewer, steadier steps
    learning_rate_multiplier: float | None = Field(default=None, gt=0)  # lower: less over-fitting
    beta: float | None = Field(default=None, gt=0, le=2)  # dpo: higher stays closer to the base
    max_cost_usd: NonNegativeFloat = 1.0  # a job estimated above it is not created
    # USD per million trained tokens, for a model that training_prices.json does not know.
    price_per_million: NonNegativeFloat | None = None

    def hyperparameters(self, objective: str) -> dict[str, float]:
        """Return what the service is told; ValueError for a key that the objective has not."""
        if self.beta is not None and objective != "dpo":
            raise ValueError(f"beta is of dpo; objective {objective!r} has none: leave it out")
        named = ("n_epochs", "batch_size", "learning_rate_multiplier", "beta")
        return self.model_dump(include=set(named), exclude_none=True)


def refusal(objective: str, model_kind: str) -> str | None:
    """Return why a service cannot tune for the objective."""
    if objective in SERVICE_METHODS:
        return None
    return f"a hosted service trains {' and '.join(SERVICE_METHODS)}, and nothing else"


def require(objective: str, base_model: str, named: Mapping[str, object]) -> None:
    """Raise ValueError where the section names what a service does not heed, or cannot be told.

    `named` holds the keys that the pipeline sets itself.
    """
    if base_model == "scratch" or base_model.startswith(_LIES_HERE):
        raise ValueError(
            f"base_model {base_model!r} lies here, and a hosted service tunes its own: name one as "
            "the service does, gpt-4.1-mini-2025-04-14 say"
        )
    if unheeded := [key for key in named if key not in Options.model_fields]:
        raise ValueError(
            f"a hosted service does not heed {', '.join(unheeded)}; it heeds seed, "
            f"{', '.join(Options.model_fields)}"
        )
    options = Options.model_validate(named)
    options.hyperparameters(objective)
    price_of(base_model, options.price_per_million)
