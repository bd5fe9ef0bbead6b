"""One model at one endpoint with fixed sampling: looks in the cache, asks, keeps each answer."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import dagster as dg

from resources.attempt import Outcome, Sender
from resources.batch_account import BatchAccount
from resources.chat_request import ChatRequest, Messages, Sampling, Schema
from resources.completion import Completion
from resources.endpoint import Endpoint
from resources.purse import Cost, Purse
from resources.rate_headers import backoff_seconds
from resources.rate_limit import RateLimit
from resources.response_cache import CachedAnswer, ResponseCache


@dataclass(frozen=True, slots=True)
class TeacherAnswer:
    """What came back for one request; `problem` says why `text` is empty."""

    text: str
    request_hash: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    problem: str = ""


@dataclass
class TeacherConnection:
    """Looks up at any time; asks inside `async with`, which closes the cache too."""

    endpoint: Endpoint
    model: str
    sampling: Sampling
    timeout_seconds: float  # for one whole answer
    max_retries: int
    max_concurrency: int
    cost: Cost
    purse: Purse
    cache: ResponseCache
    replay: bool  # ask nothing: what the cache does not hold is a failure
    batch_poll_seconds: float
    say: Callable[[str], None]
    _sender: Sender | None = field(default=None, init=False)
    _rate_limit: RateLimit = field(init=False)

    async def __aenter__(self) -> Self:
        self._rate_limit = RateLimit(self.max_concurrency)
        if not self.replay:
            client = self.endpoint.client(self.max_concurrency, self.timeout_seconds)
            about = (self.endpoint, self.model, self.sampling, self.timeout_seconds)
            self._sender = Sender(client, *about)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._sender is not None:
            await self._sender.client.close()
        self.cache.close()

    def key(self, messages: Messages, schema: Schema, sample_index: int = 0) -> str:
        """Return the hash that the answer is kept under."""
        return self._key(ChatRequest(messages, schema, sample_index))

    def cached(
        self, messages: Messages, schema: Schema, sample_index: int = 0
    ) -> TeacherAnswer | None:
        """Return the answer to this very request that was paid for before, if any."""
        return self._kept(self.key(messages, schema, sample_index))

    async def ask(self, messages: Messages, schema: Schema, sample_index: int = 0) -> TeacherAnswer:
        """Send the request, again where that may help, and keep its answer at once.

        A request that fails by itself comes back with a `problem`; one that shows that no other can
        succeed raises dg.Failure, and what the purse raises goes through.
        """
        request = ChatRequest(messages, schema, sample_index)
        key = self._key(request)
        sender = self._asking([key])
        retry = 0
        while True:
            answer, outcome = await self._attempt(sender, key, request)
            if outcome.hopeless:
                problem = f"{self.model} cannot be asked: {outcome.problem}"
                raise dg.Failure(problem, allow_retries=False)
            if not outcome.again or retry == self.max_retries:
                return answer
            wait = outcome.wait_seconds
            await asyncio.sleep(backoff_seconds(retry) if wait is None else wait)
            retry += 1

    async def ask_together(
        self, requests: Sequence[tuple[Messages, Schema, int]]
    ) -> dict[str, str]:
        """Send the requests as batches and keep the answers; returns problems by request hash."""
        from resources.teacher_batch import TeacherBatches

        asked = {self._key(request): request for request in (ChatRequest(*r) for r in requests)}
        self._asking(list(asked))
        about = (self.endpoint, self.model, self.sampling)
        account = BatchAccount(self.purse, self.cost, asked, self._keep_of_batch)
        async with self.endpoint.client_for_files() as client, account:
            batches = TeacherBatches(
                client=client,
                cache=self.cache,
                ledger_path=self.cache.path,
                keep=account.keep,
                reserve=account.reserve,
                say=self.say,
                poll_seconds=self.batch_poll_seconds,
                without_secrets=self.endpoint.without_secrets,
            )
            return await batches.ask({key: r.body(*about) for key, r in asked.items()})

    def keep(self, key: str, completion: Completion) -> TeacherAnswer:
        """Keep what a completion says, unless it is a problem; returns the answer that stands."""
        tokens = (completion.prompt_tokens, completion.completion_tokens)
        if completion.problem:
            return TeacherAnswer("", key, *tokens, self.cost(*tokens), completion.problem)
        paid = CachedAnswer(completion.text, self.model, *tokens, self.cost(*tokens))
        return _answer(key, self.cache.put(key, paid))

    def _keep_of_batch(self, key: str, completion: Completion) -> str:
        return self.keep(key, completion).problem

    async def _attempt(
        self, sender: Sender, key: str, request: ChatRequest
    ) -> tuple[TeacherAnswer, Outcome]:
        """Send the request once; whatever happens, its cost is settled."""
        async with self._rate_limit.turn(request.likely_tokens(self.sampling)) as turn:
            if (kept := self._kept(key)) is not None:  # another process paid meanwhile
                return kept, Outcome()
            reserved = await self.purse.reserve(request.messages, request.schema)
            cost_usd = reserved
            try:
                outcome = await sender.send(request, turn)
                if (completion := outcome.completion) is not None:
                    cost_usd = self.cost(completion.prompt_tokens, completion.completion_tokens)
                    return self.keep(key, completion), outcome
                cost_usd = 0.0 if outcome.free else reserved
                return TeacherAnswer("", key, problem=outcome.problem), outcome
            finally:
                await self.purse.settle(reserved, cost_usd)

    def _asking(self, keys: Sequence[str]) -> Sender:
        """Return what sends; raises where nothing may be sent."""
        if self.replay:
            raise dg.Failure(
                f"replay: {len(keys)} requests to {self.model} have no answer in "
                f"{self.cache.path}, and none is sent; the first is {keys[0]}. Import a cache that "
                "holds them, or leave replay",
                allow_retries=False,
            )
        if self._sender is None:
            raise RuntimeError("ask inside `async with`")
        return self._sender

    def _kept(self, key: str) -> TeacherAnswer | None:
        kept = self.cache.get(key)
        return _answer(key, kept) if kept else None

    def _key(self, request: ChatRequest) -> str:
        return request.key(self.endpoint, self.model, self.sampling)


def _answer(key: str, kept: CachedAnswer) -> TeacherAnswer:
    return TeacherAnswer(kept.text, key, kept.prompt_tokens, kept.completion_tokens, kept.cost_usd)
