"""What a batch costs: all set aside before it is sent, what its answers cost taken after."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from resources.chat_request import ChatRequest
from resources.completion import Completion
from resources.purse import Cost, Purse

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion


@dataclass
class BatchAccount:
    """Settles on leaving: at what the answers cost, or where it broke off at the worst."""

    purse: Purse
    cost: Cost
    requests: Mapping[str, ChatRequest]  # by hash
    keep_completion: Callable[[str, Completion], str]  # returns why it is no answer, if so
    _new: set[str] = field(default_factory=set)
    _reserved: float = 0.0
    _cost_usd: float = 0.0

    async def reserve(self, hashes: Sequence[str]) -> None:
        """Set aside what these may cost; raises what forbids it."""
        requests = [(self.requests[h].messages, self.requests[h].schema) for h in hashes]
        self._reserved = await self.purse.reserve_together(requests)
        self._new = set(hashes)

    def keep(self, request_hash: str, body: Mapping[str, Any], answer: "ChatCompletion") -> str:
        """Keep an answer and take its cost; returns why it is none, if so."""
        completion = Completion.of(answer.to_dict(), body.get("messages", ()))
        cost_usd = self.cost(completion.prompt_tokens, completion.completion_tokens)
        if request_hash in self._new:
            self._cost_usd += cost_usd
        else:
            self.purse.spend(cost_usd)
        return self.keep_completion(request_hash, completion)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._new:
            await self.purse.settle(self._reserved, self._reserved if error else self._cost_usd)
