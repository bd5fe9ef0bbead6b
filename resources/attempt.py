"""A request sent once: what came back, whether it may be billed, whether to send it again."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from resources.chat_request import PATH, ChatRequest, Sampling
from resources.completion import Completion
from resources.endpoint import Endpoint
from resources.rate_headers import retry_after_seconds
from resources.rate_limit import Turn

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

# no other request can succeed either: a wrong key, no credit, not allowed, an unknown model
HOPELESS = (401, 402, 403, 404)
OUT_OF_CREDIT = "insufficient_quota"  # comes as 429
AGAIN = (408, 409, 429)  # and all from 500 on
OVERLOADED = (429, 503)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of sending a request once: a completion, or a problem."""

    completion: Completion | None = None
    problem: str = ""
    free: bool = False  # surely not billed; else, without a completion, nobody knows
    again: bool = False  # whether another attempt may bring an answer
    wait_seconds: float | None = None  # before that, as the server asks
    hopeless: bool = False


@dataclass
class Sender:
    """Sends to one model, and reads what comes back; no problem that it tells holds a secret."""

    client: "AsyncOpenAI"
    endpoint: Endpoint
    model: str
    sampling: Sampling
    timeout_seconds: float
    # Set once the server has refused or ignored response_format.
    schema_in_prompt: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._url = f"{self.endpoint.address.rstrip('/')}{PATH}"

    async def send(self, request: ChatRequest, turn: Turn) -> Outcome:
        """Send the request, and tell `turn` what the answer says about limits."""
        from httpx2 import ConnectError, Response
        from openai import APIConnectionError, APIStatusError, APITimeoutError

        in_prompt = self.schema_in_prompt
        body = request.body(self.endpoint, self.model, self.sampling, in_prompt)
        try:
            # the typed method spends more on looking through the messages than all the rest
            response = await self.client.post(self._url, cast_to=Response, body=body)
        except APIStatusError as error:
            turn.learn(error.response.headers, error.status_code in OVERLOADED)
            return self._refused(error, in_prompt)
        except APITimeoutError:
            turn.learn({}, refused=True)
            return self._lost(f"no answer in {self.timeout_seconds:g} seconds")
        except APIConnectionError as error:
            never_sent = isinstance(error.__cause__, ConnectError)
            return self._lost(f"{error} {error.__cause__}", never_sent)
        turn.learn(response.headers, refused=False)
        return self._answered(response.content, request, in_prompt)

    def _answered(self, content: bytes, request: ChatRequest, in_prompt: bool) -> Outcome:
        try:
            completion = Completion.read(content, request.messages)
        except ValueError as error:
            problem = self.endpoint.without_secrets(error)
            return Outcome(problem=f"unreadable: {problem}", again=True)
        wanted = bool(request.schema) and not in_prompt
        if wanted and completion.text and "{" not in completion.text:
            self.schema_in_prompt = True
            problem = f"no JSON but {completion.text[:80]!r}: the server ignored response_format"
            ignored = replace(completion, text="", problem=problem)
            return Outcome(ignored, again=True, wait_seconds=0.0)
        return Outcome(completion)

    def _refused(self, error: "APIStatusError", in_prompt: bool) -> Outcome:
        problem = f"refused by the server: {self.endpoint.without_secrets(error)}"
        status, headers = error.status_code, error.response.headers
        if status in HOPELESS or error.code == OUT_OF_CREDIT:
            return Outcome(problem=problem, free=True, hopeless=True)
        if status in (400, 422) and not in_prompt and _is_about_the_format(error):
            self.schema_in_prompt = True
            return Outcome(problem=problem, free=True, again=True, wait_seconds=0.0)
        # what stands before the server says 502 or 504 in HTML, and the server may go on
        told = "json" in headers.get("content-type", "")
        return Outcome(
            problem=problem,
            free=status < 500 or told,
            again=status in AGAIN or status >= 500,
            wait_seconds=retry_after_seconds(headers),
        )

    def _lost(self, what: str, never_sent: bool = False) -> Outcome:
        problem = f"lost: {self.endpoint.without_secrets(what)}"
        return Outcome(problem=problem, free=never_sent, again=True)


def _is_about_the_format(error: "APIStatusError") -> bool:
    said = error.response.text
    return "response_format" in said or "json_schema" in said
