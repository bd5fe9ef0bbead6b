"""One model at one endpoint with fixed sampling: looks in the cache, asks, keeps each answer."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import dagster as dg

from resources.response_cache import CachedAnswer, ResponseCache, request_key

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletion

Cost = Callable[[int, int], float]  # prompt tokens, completion tokens -> US dollars
Messages = list[dict[str, str]]
Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests go."""

    base_url: str
    api_key: str = field(repr=False)  # empty: a server of one's own that asks for none

    @property
    def at_openai(self) -> bool:
        """Whether OpenAI sends the bill."""
        host = urlsplit(self.base_url).hostname or ""
        return host == "openai.com" or host.endswith(".openai.com")

    @property
    def address(self) -> str:
        """The address without user, password and query, which may be secrets."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    def without_secrets(self, error: Exception) -> str:
        """Return the error's text; servers like to quote the key that they refuse."""
        text = str(error)
        secrets = (self.api_key, urlsplit(self.base_url).password)
        for secret in filter(None, secrets):
            text = text.replace(secret, "***")
        return text


@dataclass(frozen=True, slots=True)
class Sampling:
    """What else decides an answer, beside its prompt."""

    temperature: float | None
    max_output_tokens: int
    sample_index: int = 0


@dataclass(frozen=True, slots=True)
class TeacherAnswer:
    """What came back for one request; `problem` says why `text` is empty."""

    text: str
    request_hash: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    problem: str = ""
    lost: bool = False  # no answer arrived, but the server may have worked, and billed


@dataclass
class TeacherConnection:
    """Looks up at any time; asks inside `async with`, which closes the cache too."""

    endpoint: Endpoint
    model: str
    sampling: Sampling
    timeout_seconds: float
    max_retries: int
    cost: Cost
    cache: ResponseCache
    _client: "AsyncOpenAI | None" = None

    async def __aenter__(self) -> Self:
        from openai import AsyncOpenAI

        self._client = AsyncOpenAI(
            api_key=self.endpoint.api_key or "none",
            base_url=self.endpoint.base_url,
            timeout=self.timeout_seconds,
            max_retries=self.max_retries,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._client is not None:
            await self._client.close()
        self.cache.close()

    def cached(self, messages: Messages, schema: Schema) -> TeacherAnswer | None:
        """Return the answer to this very request that was paid for before, if any."""
        key = self._key(messages, schema)
        kept = self.cache.get(key)
        return _answer(key, kept) if kept else None

    async def ask(self, messages: Messages, schema: Schema) -> TeacherAnswer:
        """Send the request and keep its answer at once.

        A request that fails by itself comes back with a `problem`; one that shows that no other can
        succeed (a wrong key, an unknown model, no credit left) raises dg.Failure.
        """
        from openai import APIConnectionError, APIError, APIStatusError

        key = self._key(messages, schema)
        try:
            response = await self._send(messages, schema)
            return self._kept(key, messages, response)
        except APIConnectionError as error:  # a time-out is one of them
            return TeacherAnswer("", key, problem=self._problem("lost", error), lost=True)
        except APIStatusError as error:
            if error.status_code in (401, 403, 404) or error.code == "insufficient_quota":
                message = self._problem(f"{self.model} cannot be asked", error)
                raise dg.Failure(message, allow_retries=False) from None  # its text holds the key
            return TeacherAnswer("", key, problem=self._problem("refused by the server", error))
        except (APIError, ValueError) as error:  # a body that is no completion
            return TeacherAnswer("", key, problem=self._problem("unreadable", error), lost=True)

    def _problem(self, what: str, error: Exception) -> str:
        return f"{what}: {self.endpoint.without_secrets(error)}"

    def _kept(self, key: str, messages: Messages, response: "ChatCompletion") -> TeacherAnswer:
        text, problem = _text_or_problem(response)
        prompt_tokens, completion_tokens = _usage(response, messages, text)
        cost_usd = self.cost(prompt_tokens, completion_tokens)
        if problem:
            return TeacherAnswer("", key, prompt_tokens, completion_tokens, cost_usd, problem)
        paid = CachedAnswer(text, self.model, prompt_tokens, completion_tokens, cost_usd)
        return _answer(key, self.cache.put(key, paid))

    async def _send(self, messages: Messages, schema: Schema) -> "ChatCompletion":
        if self._client is None:
            raise RuntimeError("ask inside `async with`")
        # OpenAI's newer models refuse the old name, and some servers know only that one
        limit = "max_completion_tokens" if self.endpoint.at_openai else "max_tokens"
        options: dict[str, Any] = {limit: self.sampling.max_output_tokens}
        if self.sampling.temperature is not None:
            options["temperature"] = self.sampling.temperature
        return await self._client.chat.completions.create(
            model=self.model,
            messages=messages,  # type: ignore[arg-type]
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": schema},
            },
            **options,
        )

    def _key(self, messages: Messages, schema: Schema) -> str:
        return request_key(
            {
                "endpoint": self.endpoint.address,
                "model": self.model,
                "messages": messages,
                "temperature": self.sampling.temperature,
                "max_output_tokens": self.sampling.max_output_tokens,
                "schema": schema,
                "sample_index": self.sampling.sample_index,
            }
        )


def _answer(key: str, kept: CachedAnswer) -> TeacherAnswer:
    return TeacherAnswer(kept.text, key, kept.prompt_tokens, kept.completion_tokens, kept.cost_usd)


def _text_or_problem(response: "ChatCompletion") -> tuple[str, str]:
    """Return the answer's text, or why there is none."""
    choices = getattr(response, "choices", None)  # a page of HTML arrives here as a string
    if not choices:
        raise ValueError(f"the server sent no completion but {str(response)[:80]!r}")
    message, finish_reason = choices[0].message, choices[0].finish_reason
    if message.refusal:
        return "", f"the teacher refused: {message.refusal}"
    if finish_reason == "content_filter":
        return "", "the teacher's content filter cut the answer"
    if not (message.content or "").strip():
        return "", f"the answer is empty (finish_reason {finish_reason}; raise max_output_tokens?)"
    return message.content or "", ""


def _usage(response: "ChatCompletion", messages: Messages, text: str) -> tuple[int, int]:
    """Return prompt and completion tokens; four characters a token where a server counts none."""
    if response.usage is not None:
        return response.usage.prompt_tokens, response.usage.completion_tokens
    characters = sum(len(m["content"]) for m in messages)
    return math.ceil(characters / 4), math.ceil(len(text) / 4)
