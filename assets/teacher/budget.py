"""What a teacher costs: a price a token, an estimate before, a cap that holds in flight."""

import asyncio
import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from assets.teacher.protocol import Message

CHARACTERS_PER_TOKEN = 4  # English on the usual tokenizers; code and other scripts need more
TOKENS_PER_MESSAGE = 8  # roles and separators
_PRICES = Path(__file__).with_name("prices.json")


class OverBudget(Exception):
    """The cap is reached, or would be; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens, and where the numbers come from."""

    prompt: float
    completion: float
    source: str

    def cost_usd(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Return what these tokens cost."""
        return (prompt_tokens * self.prompt + completion_tokens * self.completion) / 1_000_000


def price_of(model: str, at_openai: bool, given: Sequence[float] | None) -> Price:
    """Return the price of a model; ValueError for one that OpenAI bills and no one has priced."""
    if given is not None:
        return Price(given[0], given[1], "price_per_million of the pipeline")
    known, as_of = _prices()
    undated = re.sub(r"-\d{4}-\d{2}-\d{2}$", "", model)
    if undated in known:
        return Price(known[undated][0], known[undated][1], f"prices.json, as of {as_of}")
    if at_openai:
        raise ValueError(
            f"no price is known for {model!r}, so its cost cannot be capped; known: "
            f"{', '.join(known)}. Add price_per_million: [input, output] in USD to teacher:"
        )
    return Price(0.0, 0.0, f"none: {model} is not in prices.json and not asked at OpenAI")


@cache
def _prices() -> tuple[dict[str, list[float]], str]:
    content = json.loads(_PRICES.read_text(encoding="utf-8"))
    return content["models"], content["as_of"]


def estimate_usd(
    requests: Iterable[Sequence[Message]], price: Price, max_output_tokens: int
) -> float:
    """Return an estimate: four characters a token in, the longest allowed answer out."""
    likely = [price.cost_usd(_likely_tokens(m), max_output_tokens) for m in requests]
    return math.fsum(likely)


def _likely_tokens(messages: Sequence[Message]) -> int:
    characters = sum(len(m["content"]) for m in messages)
    return math.ceil(characters / CHARACTERS_PER_TOKEN) + TOKENS_PER_MESSAGE * len(messages)


def _most_tokens(messages: Sequence[Message]) -> int:
    """No byte-level tokenizer makes more tokens than there are bytes."""
    return sum(len(m["content"].encode()) + TOKENS_PER_MESSAGE for m in messages)


class Budget:
    """Sets the worst case of a request aside before it is sent, and takes its real cost after.

    A request that does not fit waits for those in flight: most cost less than their worst case.
    """

    def __init__(self, max_cost_usd: float, price: Price, max_output_tokens: int):
        self.max_cost_usd = max_cost_usd
        self.price = price
        self.max_output_tokens = max_output_tokens
        self.spent_usd = 0.0
        self._in_flight: list[float] = []
        self._changed = asyncio.Condition()

    def require(self, estimated_usd: float, requests: int) -> None:
        """Raise OverBudget when the estimate is over the cap."""
        if estimated_usd > self.max_cost_usd:
            raise OverBudget(
                f"{requests} requests are estimated at ${estimated_usd:.4f}, over max_cost_usd "
                f"${self.max_cost_usd:.4f}: nothing was sent. Raise max_cost_usd, lower "
                f"max_output_tokens ({self.max_output_tokens}), or name a cheaper model"
            )

    async def reserve(self, messages: Sequence[Message]) -> float:
        """Return the worst cost of a request, set aside; raises OverBudget when it cannot fit."""
        worst = self.price.cost_usd(_most_tokens(messages), self.max_output_tokens)
        async with self._changed:
            await self._changed.wait_for(lambda: not self._in_flight or self._fits(worst))
            if not self._fits(worst):
                raise OverBudget(
                    f"stopped before max_cost_usd ${self.max_cost_usd:.4f}: ${self.spent_usd:.4f} "
                    f"is spent and the next request may cost ${worst:.4f}. Answers so far are "
                    "kept: raise max_cost_usd, or materialize again to go on from here"
                )
            self._in_flight.append(worst)
        return worst

    async def settle(self, reserved: float, cost_usd: float) -> None:
        """Take the real cost in place of what was set aside."""
        async with self._changed:
            self._in_flight.remove(reserved)
            self.spent_usd += cost_usd
            self._changed.notify_all()

    def _fits(self, worst: float) -> bool:
        return self.spent_usd + sum(self._in_flight) + worst <= self.max_cost_usd
