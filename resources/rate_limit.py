"""When the next request may go: as many at once, a minute and in tokens as the server takes.

A server that states its limits in the headers of its answers is asked at just that rate. One that
does not is asked as fast as it answers, and slower while it refuses much.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from resources.rate_headers import Headers, Said, limit_of, retry_after_seconds

MOST_SLEEP_SECONDS = 1.0  # whoever waits looks again: answers in flight may have brought news
GAIN = 0.1  # one answer alone says little
LEAST_RESET_SECONDS = 0.05  # servers round: a shorter reset says little about the rate
NOTHING = 1e-6  # of a request: what floats lose
TOLERATED_REFUSALS = 0.1  # of a window's answers; fewer are nobody's limit
WINDOW_SECONDS, WINDOW_ANSWERS = 1.0, 20
RAISE = 1.05  # of the pace after a window that went well


@dataclass
class Allowance:
    """Our copy of one of the server's buckets: it holds `limit`, and fills at `rate` a second.

    Before the server has said anything it has no limit. An answer tells what was left when its
    request arrived there; others were on the way, so it is compared with what the copy held when
    that request left, and the copy is moved by the difference.
    """

    at: float  # when `level` was right, in seconds of the clock
    reserve_seconds: float = 0.5  # of the rate that are never taken, up to half the limit
    limit: float = float("inf")
    rate: float = 0.0
    level: float = 0.0
    moved: float = 0.0  # by all differences together

    def wait(self, amount: float, now: float) -> float:
        """Return the seconds until `amount` is there; an amount over the limit needs all of it.

        Something is left in the bucket: requests overtake each other on their way, and at the first
        refusal all may have to wait.
        """
        self._refill(now)
        if self.limit == float("inf"):
            return 0.0
        reserve = min(self.limit / 2, max(2 * amount, self.rate * self.reserve_seconds))
        lacking = min(amount + reserve, self.limit) - self.level
        return max(0.0, lacking) / self.rate if lacking > NOTHING else 0.0

    def take(self, amount: float) -> float:
        """Take the amount; returns a mark for `learn`."""
        self.level -= amount
        return self.level - self.moved

    def learn(self, said: Said, mark: float, now: float) -> None:
        """Move towards what the server says to the request that got `mark`."""
        self._refill(now)
        gain = GAIN if self.rate else 1.0
        self.limit, used = said.limit, said.limit - said.remaining
        if used > 0 and (said.reset_seconds or 0.0) >= (LEAST_RESET_SECONDS if self.rate else 1e-3):
            self.rate += gain * (used / (said.reset_seconds or 1.0) - self.rate)
        self.rate = self.rate or said.limit / 60
        difference = gain * (said.remaining - (mark + self.moved))
        self.moved += difference
        self.level = min(self.limit, self.level + difference)

    def hold(self, rate: float) -> None:
        """Fill at this rate from now on, and hold a tenth of a second's worth."""
        self.rate, self.limit = rate, max(1.0, rate / 10)
        self.level = min(self.limit, max(0.0, self.level))

    def _refill(self, now: float) -> None:
        self.level = min(self.limit, self.level + self.rate * (now - self.at))
        self.at = now


class Pace:
    """A rate that is found by trying, for servers that refuse without stating their limits.

    Where much of a second's answers are refusals, the server takes as many as it has just taken;
    from there the pace is raised bit by bit.
    """

    def __init__(self, now: float):
        self.allowance = Allowance(now, reserve_seconds=0.0)
        self._start(now)

    def count(self, refused: bool, now: float) -> None:
        """Note one answer, and set the pace where a window is full."""
        self._refused += refused
        self._answers += 1
        seconds = now - self._began
        if self._answers < WINDOW_ANSWERS or seconds < WINDOW_SECONDS:
            return
        if self._refused > TOLERATED_REFUSALS * self._answers:
            self.allowance.hold(max(1, self._answers - self._refused) / seconds)
        elif self.allowance.rate:
            self.allowance.hold(self.allowance.rate * RAISE)
        self._start(now)

    def _start(self, now: float) -> None:
        self._began, self._answers, self._refused = now, 0, 0


@dataclass
class Turn:
    """One request's place among those in flight; entered when the request may go."""

    rate_limit: "RateLimit"
    tokens: float  # that the request may take, as the server will count them
    marks: tuple[float, float] = (0.0, 0.0)

    async def __aenter__(self) -> Self:
        self.marks = await self.rate_limit.enter(self.tokens)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.rate_limit.leave()

    def learn(self, headers: Headers, refused: bool) -> None:
        """Take what the server says about its limits."""
        self.rate_limit.learn(self, headers, refused)


class RateLimit:
    """Lets requests go one after the other, each when it may; they come back in any order."""

    def __init__(self, max_concurrency: int, clock: Callable[[], float] = time.monotonic):
        self._clock, now = clock, clock()
        self._slots = asyncio.Semaphore(max_concurrency)
        # only the head of the queue watches the clock: a wake-up for each request, not for all
        self._head = asyncio.Lock()
        self._closed_until = 0.0
        self._requests, self._tokens, self._pace = Allowance(now), Allowance(now), Pace(now)

    def turn(self, tokens: float) -> Turn:
        """Return a turn for one request, to be entered."""
        return Turn(self, tokens)

    async def enter(self, tokens: float) -> tuple[float, float]:
        """Wait for a slot and the allowances; returns the marks of requests and tokens."""
        await self._slots.acquire()
        try:
            async with self._head:
                while (seconds := self.wait_seconds(tokens)) > 0:
                    await asyncio.sleep(min(seconds, MOST_SLEEP_SECONDS))
                self._pace.allowance.take(1)
                return self._requests.take(1), self._tokens.take(tokens)
        except BaseException:
            self._slots.release()
            raise

    def leave(self) -> None:
        """Give the slot to the next."""
        self._slots.release()

    def wait_seconds(self, tokens: float) -> float:
        """Return how long the head of the queue has to wait at least."""
        now = self._clock()
        return max(
            self._closed_until - now,
            self._requests.wait(1, now),
            self._tokens.wait(tokens, now),
            self._pace.allowance.wait(1, now),
        )

    def learn(self, turn: Turn, headers: Headers, refused: bool) -> None:
        """Take what an answer says; a refusal that a stated limit explains closes the way."""
        now, explained = self._clock(), False
        for name, allowance, mark, amount in (
            ("requests", self._requests, turn.marks[0], 1.0),
            ("tokens", self._tokens, turn.marks[1], turn.tokens),
        ):
            if (said := limit_of(headers, name)) is not None:
                allowance.learn(said, mark, now)
                explained = explained or said.remaining < amount
        if refused and explained:
            wait = retry_after_seconds(headers) or 0.0
            self._closed_until = max(self._closed_until, now + wait)
        else:
            self._pace.count(refused, now)
