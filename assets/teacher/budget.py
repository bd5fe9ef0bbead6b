"""What a teacher costs: a price a token, an estimate before, a cap that holds in flight."""

import asyncio
import json
import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from assets.teacher.protocol import Message, Schema
from assets.teacher.tokens import AT_MOST, TokenCounter

Question = tuple[Sequence[Message], Schema]
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


def price_of(
    model: str, at_openai: bool, given: Sequence[float] | None, batch: bool = False
) -> Price:
    """Return the price of a model; ValueError for one that OpenAI bills and no one has priced.

    `batch` takes the discount of the Batch API off, off a given price too.
    """
    price = _price_of_one(model, at_openai, given)
    if not batch:
        return price
    factor, as_of = _prices()["batch_factor"], _prices()["as_of"]
    source = f"{price.source}; times {factor} in batches, as of {as_of}"
    return Price(price.prompt * factor, price.completion * factor, source)


def _price_of_one(model: str, at_openai: bool, given: Sequence[float] | None) -> Price:
    if given is not None:
        return Price(given[0], given[1], "price_per_million of the pipeline")
    known = _prices()["models"]
    undated = re.sub(r"-\d{4}-\d{2}-\d{2}$", "", model)
    if undated in known:
        as_of = _prices()["as_of"]
        return Price(known[undated][0], known[undated][1], f"prices.json, as of {as_of}")
    if at_openai:
        raise ValueError(
            f"no price is known for {model!r}, so its cost cannot be capped; known: "
            f"{', '.join(known)}. Add price_per_million: [input, output] in USD to teacher:"
        )
    return Price(0.0, 0.0, f"none: {model} is not in prices.json and not asked at OpenAI")


@cache
def _prices() -> dict:
    return json.loads(_PRICES.read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Estimate:
    """What requests may take: the prompts as counted, every answer as long as is allowed."""

    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    method: str


def estimate(
    requests: Iterable[Question], tokens: TokenCounter, price: Price, max_output_tokens: int
) -> Estimate:
    """Return what the requests may cost; they are counted one by one and not kept."""
    number = prompt_tokens = 0
    for messages, schema in requests:
        number += 1
        prompt_tokens += tokens.of_request(messages, schema)
    completion_tokens = number * max_output_tokens
    cost_usd = price.cost_usd(prompt_tokens, completion_tokens)
    method = f"prompts: {tokens.method}; answers: {max_output_tokens} tokens each, the longest"
    return Estimate(number, prompt_tokens, completion_tokens, cost_usd, method)


@dataclass(eq=False, slots=True)
class _Waiting:
    """A reservation that did not fit beside those in flight."""

    worst_usd: float
    calls: int
    granted: asyncio.Future[None]


class Budget:
    """Sets the worst case of a request aside before it is sent, and takes its real cost after.

    A request that does not fit waits for those in flight, first come, first served: most cost less
    than their worst case. `max_calls` counts every attempt, repeated ones too.
    """

    def __init__(
        self,
        max_cost_usd: float,
        price: Price,
        max_output_tokens: int,
        max_calls: int | None = None,
        tokens: TokenCounter = AT_MOST,
    ):
        self.max_cost_usd = max_cost_usd
        self.price = price
        self.max_output_tokens = max_output_tokens
        self.max_calls = max_calls
        self.tokens = tokens
        self.spent_usd = 0.0
        self.calls = 0
        self._in_flight = 0
        self._reserved_usd = 0.0
        self._waiting: deque[_Waiting] = deque()

    def require(self, expected: Estimate) -> None:
        """Raise OverBudget when the estimate is over a cap."""
        what_to_do = []
        if expected.cost_usd > self.max_cost_usd:
            what_to_do.append(
                f"over max_cost_usd ${self.max_cost_usd:.4f}: raise it, lower max_output_tokens "
                f"({self.max_output_tokens}), or name a cheaper model"
            )
        if self.max_calls is not None and expected.requests > self.max_calls:
            what_to_do.append(f"over max_calls {self.max_calls}: raise it")
        if what_to_do:
            raise OverBudget(
                f"{expected.requests} requests of {expected.prompt_tokens} prompt tokens are "
                f"estimated at ${expected.cost_usd:.4f} ({expected.method}). Nothing was sent; "
                + "; ".join(what_to_do)
            )

    async def reserve(self, messages: Sequence[Message], schema: Schema) -> float:
        """Return the worst cost of a request, set aside; raises OverBudget when it cannot fit."""
        return await self._set_aside(self._worst_usd(AT_MOST.of_request(messages, schema), 1), 1)

    async def reserve_together(self, requests: Iterable[Question]) -> float:
        """Return the worst cost of many requests, set aside as one: all are sent, or none."""
        number = prompt_tokens = 0
        for messages, schema in requests:
            number += 1
            prompt_tokens += self.tokens.most_of_request(messages, schema)
        return await self._set_aside(self._worst_usd(prompt_tokens, number), number)

    async def settle(self, reserved: float, cost_usd: float) -> None:
        """Take the real cost in place of what was set aside."""
        if not self._in_flight:
            raise ValueError(f"${reserved:.6f} is settled, and nothing is reserved")
        self.spent_usd += cost_usd
        self._release(reserved)

    def spend(self, cost_usd: float) -> None:
        """Count a cost that an earlier run set aside: its batch arrived only now."""
        self.spent_usd += cost_usd

    def _worst_usd(self, prompt_tokens: int, calls: int) -> float:
        return self.price.cost_usd(prompt_tokens, calls * self.max_output_tokens)

    async def _set_aside(self, worst_usd: float, calls: int) -> float:
        request = _Waiting(worst_usd, calls, asyncio.get_running_loop().create_future())
        self._waiting.append(request)
        self._serve()
        try:
            await request.granted
        except asyncio.CancelledError:
            if not request.granted.cancelled() and not request.granted.exception():
                self._release(worst_usd)  # granted in the very turn of the loop that cancelled
            self._serve()
            raise
        return worst_usd

    def _release(self, reserved: float) -> None:
        self._in_flight -= 1
        # sums of floats drift: nothing in flight is nothing reserved
        self._reserved_usd = self._reserved_usd - reserved if self._in_flight else 0.0
        self._serve()

    def _serve(self) -> None:
        """Grant, or refuse for good, from the head on; each settling wakes only whom it serves."""
        while self._waiting:
            request = self._waiting[0]
            if request.granted.done():  # whoever waited was cancelled
                self._waiting.popleft()
            elif refusal := self._refusal(request):
                self._waiting.popleft()
                request.granted.set_exception(OverBudget(refusal))
            elif self._fits(request):
                self._waiting.popleft()
                self._grant(request)
            else:
                return

    def _grant(self, request: _Waiting) -> None:
        self._in_flight += 1
        self._reserved_usd += request.worst_usd
        self.calls += request.calls
        request.granted.set_result(None)

    def _fits(self, request: _Waiting) -> bool:
        return self.spent_usd + self._reserved_usd + request.worst_usd <= self.max_cost_usd

    def _refusal(self, request: _Waiting) -> str:
        """Return why the request can never go, or '' where it can, now or later."""
        kept = "Answers so far are kept: raise it, or materialize again to go on from here"
        if self.max_calls is not None and self.calls + request.calls > self.max_calls:
            return f"stopped before max_calls {self.max_calls}: {self.calls} were sent. {kept}"
        if self._in_flight or self._fits(request):
            return ""
        return (
            f"stopped before max_cost_usd ${self.max_cost_usd:.4f}: ${self.spent_usd:.4f} is spent "
            f"and the next {request.calls} may cost ${request.worst_usd:.4f} at worst. {kept}"
        )
