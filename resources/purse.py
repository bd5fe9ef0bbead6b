"""Where the money for a teacher's answers comes from: set aside before, settled after."""

from collections.abc import Callable, Iterable
from typing import Protocol

from resources.chat_request import Messages, Schema

Cost = Callable[[int, int], float]  # prompt tokens, completion tokens -> US dollars


class Purse(Protocol):
    """Holds a run to what it may spend."""

    async def reserve(self, messages: Messages, schema: Schema) -> float:
        """Set the worst cost of a request aside and return it; raises what stops the run."""
        ...

    async def reserve_together(self, requests: Iterable[tuple[Messages, Schema]]) -> float:
        """Set the worst cost of many requests aside as one, and return it."""
        ...

    async def settle(self, reserved: float, cost_usd: float) -> None:
        """Take the real cost in place of what was set aside."""
        ...

    def spend(self, cost_usd: float) -> None:
        """Take a cost that an earlier run had set aside."""
        ...
