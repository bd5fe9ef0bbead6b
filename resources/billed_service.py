"""Calls to a service that keeps files and bills for what it is asked to create."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Literal, TypeVar

if TYPE_CHECKING:
    from openai import AsyncOpenAI

T = TypeVar("T")

RETRIES = 5  # of what may be repeated at no cost: everything but a creation
DOWNLOADS = 3  # tries to fetch a file; the client does not repeat one that breaks off
LOST_LOOKS = 20  # in a row: a batch or a job takes hours, and an outage may end before


@dataclass
class BilledService:
    """Makes the calls; what cannot go on is raised without a secret in its text."""

    client: "AsyncOpenAI"
    without_secrets: Callable[[Exception | str], str]
    say: Callable[[str], None]
    pause_seconds: float
    failure: Callable[[str], Exception]  # makes what is raised
    what_now: str  # ends the text of a failure: what stands, and what to do
    _lost_looks: int = 0

    @property
    def patient(self) -> "AsyncOpenAI":
        """The client for calls that may be repeated."""
        return self.client.with_options(max_retries=RETRIES)

    async def upload(
        self,
        name: str,
        content: IO[bytes],
        purpose: Literal["batch", "fine-tune"],
        expires_after_seconds: int | None = None,
    ) -> str:
        """Return the id of a file; without a time it stays as long as the service keeps such."""
        from openai import APIError, omit

        after = expires_after_seconds
        try:
            created = await self.patient.files.create(
                file=(name, content),
                purpose=purpose,
                expires_after={"anchor": "created_at", "seconds": after} if after else omit,
            )
            return created.id
        except APIError as error:
            raise self.failed(f"{name} cannot be uploaded", error) from None

    async def create(
        self, what: str, make: Callable[["AsyncOpenAI"], Awaitable[T]]
    ) -> tuple[T | None, str]:
        """Return what was created; None, and what was said, where that is not known.

        Sent once: the client would repeat a lost creation, and pay for two.
        """
        from openai import APIConnectionError, APIError, APIStatusError

        try:
            return await make(self.client.with_options(max_retries=0)), ""
        except APIError as error:
            status = error.status_code if isinstance(error, APIStatusError) else 500
            if not isinstance(error, APIConnectionError) and status < 500 and status != 429:
                raise self.failed(f"no {what} was created", error) from None
            problem = self.without_secrets(error)
            self.say(f"creating a {what}: {problem}")
            return None, problem

    async def look(self, name: str, call: Awaitable[T], way_out: str) -> T | None:
        """Return what the call says; None where the service is out of reach for the moment."""
        from openai import APIConnectionError, APIError, InternalServerError, RateLimitError

        try:
            found = await call
        except APIError as error:
            self._lost_looks += 1
            passing = isinstance(error, (APIConnectionError, InternalServerError, RateLimitError))
            if not passing or self._lost_looks > LOST_LOOKS:
                raise self.failed(f"{name} cannot be looked at. {way_out}", error) from None
            self.say(f"{name}: {self.without_secrets(error)}")
            return None
        self._lost_looks = 0
        return found

    async def download(self, file_id: str, content: IO[bytes]) -> None:
        """Write a file's content to `content`, and go back to its beginning; none if it is gone."""
        from openai import APIStatusError, NotFoundError

        for tries_left in reversed(range(DOWNLOADS)):
            content.seek(0)
            content.truncate()
            try:
                await self._stream(file_id, content)
                break
            except NotFoundError:
                self.say(f"{file_id} is gone from the service")
                break
            except Exception as error:  # a stream that breaks off raises what lies under the client
                if not tries_left or isinstance(error, APIStatusError):
                    raise self.failed(f"{file_id} cannot be fetched", error) from None
                self.say(f"fetching {file_id}: {self.without_secrets(error)}; once more")
            await asyncio.sleep(self.pause_seconds)
        content.seek(0)

    async def _stream(self, file_id: str, content: IO[bytes]) -> None:
        streamed = self.patient.files.with_streaming_response.content(file_id)
        async with streamed as response:
            async for chunk in response.iter_bytes():
                content.write(chunk)

    def failed(self, what: str, error: Exception) -> Exception:
        """Return what to raise, in one line."""
        return self.failure(f"{what}: {self.without_secrets(error)}. {self.what_now}")
