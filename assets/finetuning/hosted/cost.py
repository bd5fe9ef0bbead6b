"""What a hosted tuning job costs: the training file's tokens, once an epoch, at a dated price."""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

# Bytes of UTF-8. Low, so that an estimate errs upwards: English has 4 to 5 a token.
BYTES_PER_TOKEN = 3
TOKENS_PER_MESSAGE = 4  # its role, and what separates it from the next
TOKENS_PER_EXAMPLE = 3
_PRICES = Path(__file__).with_name("training_prices.json")

Count = Callable[[str], int]  # the tokens of a text


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million trained tokens, and where the number comes from."""

    per_million: float
    source: str

    def cost_usd(self, trained_tokens: int) -> float:
        """Return what these tokens cost."""
        return trained_tokens * self.per_million / 1_000_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a job may cost, and how that was reckoned."""

    trained_tokens: int
    cost_usd: float
    method: str


def price_of(model: str, given: float | None) -> Price:
    """Return the price of training a model; ValueError where none is known."""
    if given is not None:
        return Price(given, "price_per_million of the pipeline")
    prices = _prices()
    # a tuned model is trained on at the price of the one that it is made of
    base = model.split(":")[1] if model.startswith("ft:") else model
    undated = re.sub(r"-(\d{4}-\d{2}-\d{2}|\d{4})$", "", base)
    if undated not in prices["models"]:
        raise ValueError(
            f"no price of training is known for {model!r}, so its cost cannot be capped; known: "
            f"{', '.join(prices['models'])}. Add price_per_million: in USD to finetuning:"
        )
    return Price(prices["models"][undated], f"training_prices.json, as of {prices['as_of']}")


def estimate(tokens: int, n_epochs: int, price: Price) -> Estimate:
    """Return what training on a file of so many tokens costs.

    The service bills no validation; using a tuned model may cost more than using its base.
    """
    trained = tokens * n_epochs
    method = f"{tokens} tokens x {n_epochs} epochs at ${price.per_million} a million"
    return Estimate(trained, price.cost_usd(trained), f"{method} ({price.source})")


def estimated_tokens(text: str) -> int:
    """Return how many tokens a text has, by its bytes; rather too many."""
    return math.ceil(len(text.encode()) / BYTES_PER_TOKEN)


def tokens_of(row: Mapping[str, Any], count: Count) -> int:
    """Return the tokens of a line of the file; a preference's prompt counts twice."""
    asked: Mapping[str, Any] = row.get("input", row)
    prompt = sum(_of_message(message, count) for message in asked["messages"]) + TOKENS_PER_EXAMPLE
    if "tools" in asked:
        prompt += count(json.dumps(asked["tools"]))
    if asked is row:
        return prompt
    answers = (*row["preferred_output"], *row["non_preferred_output"])
    return 2 * prompt + sum(_of_message(message, count) for message in answers)


def _of_message(message: Mapping[str, Any], count: Count) -> int:
    return count(str(message["content"])) + TOKENS_PER_MESSAGE


@cache
def _prices() -> dict[str, Any]:
    return json.loads(_PRICES.read_text(encoding="utf-8"))
