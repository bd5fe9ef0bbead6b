"""Our side of rate limits against servers of every kind, on a clock that nobody waits for."""

import asyncio
import math
import selectors
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import pytest

from resources.rate_headers import Headers
from resources.rate_limit import RateLimit

LATENCY = 0.2
Answer = tuple[Headers, bool]  # what is said of the limits, and whether the request is refused


class TurnedSelector(selectors.DefaultSelector):
    """Where the loop would wait, the time is later at once."""

    now = 1000.0

    def select(self, timeout: float | None = None) -> list[Any]:
        self.now += timeout or 0.0
        return super().select(0)


def run(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a coroutine in a loop whose clock is turned."""
    selector = TurnedSelector()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now  # type: ignore[method-assign]
    try:
        return loop.run_until_complete(main())
    finally:
        loop.close()


@dataclass
class Counted:
    """What the server saw."""

    accepted: int = 0
    refused: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Accepted requests a second."""
        return self.accepted / self.seconds


def asked(
    server: Callable[[float, float], Answer],
    requests: int,
    concurrency: int = 200,
    tokens: float = 100.0,
) -> Counted:
    """Send so many requests, each until it is accepted; `server` gets the time and the tokens."""
    counted = Counted()

    async def request(limit: RateLimit) -> None:
        while True:
            async with limit.turn(tokens) as turn:
                await asyncio.sleep(LATENCY / 2)
                headers, refused = server(asyncio.get_running_loop().time(), tokens)
                await asyncio.sleep(LATENCY / 2)
                turn.learn(headers, refused)
            counted.accepted += not refused
            counted.refused += refused
            if not refused:
                return
            await asyncio.sleep(float(headers.get("retry-after", 0.5)))

    async def main() -> None:
        loop = asyncio.get_running_loop()
        limit, began = RateLimit(concurrency, clock=loop.time), loop.time()
        waiting = iter(range(requests))

        async def work() -> None:
            for _ in waiting:
                await request(limit)

        await asyncio.gather(*(work() for _ in range(concurrency)))
        counted.seconds = loop.time() - began

    run(main)
    return counted


@dataclass
class Bucket:
    """Fills evenly, and says what OpenAI says, unless it is silent."""

    name: str
    limit: float
    rate: float
    silent: bool = False
    level: float = math.inf
    at: float = 0.0

    def __call__(self, now: float, tokens: float) -> Answer:
        amount = 1.0 if self.name == "requests" else tokens
        self.level = min(self.limit, self.level + self.rate * (now - self.at))
        self.at = now
        refused = self.level < amount
        self.level -= 0 if refused else amount
        return {} if self.silent else self.headers() | {"retry-after": "1"}, refused

    def headers(self) -> dict[str, str]:
        return {
            f"x-ratelimit-limit-{self.name}": str(int(self.limit)),
            f"x-ratelimit-remaining-{self.name}": str(int(self.level)),
            f"x-ratelimit-reset-{self.name}": f"{(self.limit - self.level) / self.rate:.3f}s",
        }


@dataclass
class Window:
    """Starts anew each minute; until then what is used up is used up."""

    limit: int = 3000
    used: int = 0
    ends: float = 0.0

    def __call__(self, now: float, tokens: float) -> Answer:
        if now >= self.ends:
            self.used, self.ends = 0, now + 60
        refused = self.used >= self.limit
        self.used += not refused
        left = f"{self.ends - now:.0f}"
        return {
            "x-ratelimit-limit-requests": str(self.limit),
            "x-ratelimit-remaining-requests": str(self.limit - self.used),
            "x-ratelimit-reset-requests": f"{left}s",
            "retry-after": left,
        }, refused


def test_a_stated_limit_is_used_up_and_hardly_passed() -> None:
    counted = asked(Bucket("requests", limit=100, rate=100), requests=6000)
    assert counted.rate > 0.97 * 100
    assert counted.refused < 0.05 * counted.accepted


def test_a_burst_is_taken_where_the_limit_holds_one() -> None:
    counted = asked(Bucket("requests", limit=6000, rate=100), requests=5000)
    assert counted.refused == 0
    assert counted.rate > 0.9 * 200 / LATENCY


def test_a_limit_of_tokens_holds_too() -> None:
    counted = asked(Bucket("tokens", limit=5000, rate=5000), requests=3000, tokens=100)
    assert counted.rate > 0.97 * 50
    assert counted.refused < 0.1 * counted.accepted


def test_tokens_that_the_server_counts_otherwise_cost_no_rate() -> None:
    """We expect 1,000 tokens a request, the server takes 100."""
    bucket = Bucket("tokens", limit=300_000, rate=5000)
    counted = asked(lambda now, tokens: bucket(now, 100), requests=6000, tokens=1000)
    assert counted.seconds < 1.1 * (6000 * 100 - 300_000) / 5000


def test_a_request_over_the_limit_is_not_held_for_ever() -> None:
    bucket = Bucket("tokens", limit=500, rate=500)
    assert asked(lambda now, tokens: bucket(now, 500), requests=10, tokens=9000).accepted == 10


def test_a_minute_that_is_used_up_is_waited_for() -> None:
    counted = asked(Window(limit=3000), requests=9000)
    assert counted.refused < 0.1 * counted.accepted
    assert counted.seconds < 150


def test_a_limit_that_nobody_states_is_found() -> None:
    counted = asked(Bucket("requests", limit=50, rate=50, silent=True), requests=5000)
    assert counted.rate > 0.85 * 50
    assert counted.refused < 0.25 * counted.accepted


@pytest.mark.parametrize("every", [50, 15])
def test_a_few_refusals_slow_nobody_down(every: int) -> None:
    number = iter(range(10**9))
    counted = asked(lambda now, tokens: ({}, next(number) % every == 0), requests=20_000)
    assert counted.rate > 0.75 * 200 / LATENCY


def test_no_more_are_in_flight_than_allowed_and_a_cancelled_one_gives_its_place_back() -> None:
    async def main() -> int:
        limit = RateLimit(1)
        async with limit.turn(1):
            waiting = asyncio.create_task(limit.enter(1))
            await asyncio.sleep(1)
            assert not waiting.done()
            waiting.cancel()
        async with limit.turn(1):
            return 1

    assert run(main) == 1
