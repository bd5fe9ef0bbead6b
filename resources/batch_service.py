"""The service's side of the Batch API: files up and down, batches found, created and looked at."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import dagster as dg

from resources.batch_files import CHAT_COMPLETIONS

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types import Batch

TAG = "tuneline_request_set"  # in a batch's metadata: the hash of its requests
RETRIES = 5  # of what may be repeated at no cost: everything but the creation
DOWNLOADS = 3  # tries to fetch a file; the client does not repeat one that breaks off
LOST_LOOKS = 20  # in a row: a batch takes hours, and an outage may end before
# Twice the completion window. The newest are listed first, so what is older is not paged through.
LOOK_BACK_SECONDS = 48 * 3600


@dataclass
class BatchService:
    """Calls the service; what cannot go on is a dg.Failure without secrets in its text."""

    client: "AsyncOpenAI"
    without_secrets: Callable[[Exception], str]
    say: Callable[[str], None]
    pause_seconds: float
    _lost_looks: int = 0

    async def find(self, tag: str, since: float, is_done: Callable[[str], bool]) -> str:
        """Return the id of a batch with this tag that is not done and did not fail, or ''."""
        from openai import APIError

        try:
            async for batch in self._patient.batches.list(limit=100):
                if batch.created_at < since - LOOK_BACK_SECONDS:
                    break
                tagged = (batch.metadata or {}).get(TAG) == tag
                if tagged and batch.status != "failed" and not is_done(batch.id):
                    return batch.id
        except APIError as error:
            raise self._failure("the batches cannot be listed, so none is created", error) from None
        return ""

    async def upload(self, file: IO[bytes]) -> str:
        """Return the id of a file of requests."""
        from openai import APIError

        try:
            named = ("requests.jsonl", file)
            return (await self._patient.files.create(file=named, purpose="batch")).id
        except APIError as error:
            raise self._failure("the requests cannot be uploaded", error) from None

    async def create(self, input_file: str, tag: str) -> str:
        """Return the id of a new batch; '' where it is not known whether there is one now."""
        from openai import APIConnectionError, APIError, APIStatusError

        # the client would repeat a lost creation, and pay for two
        batches = self.client.with_options(max_retries=0).batches
        try:
            created = await batches.create(
                input_file_id=input_file,
                endpoint=CHAT_COMPLETIONS,
                completion_window="24h",
                metadata={TAG: tag},
            )
            return created.id
        except APIError as error:
            status = error.status_code if isinstance(error, APIStatusError) else 500
            if not isinstance(error, APIConnectionError) and status < 500 and status != 429:
                raise self._failure("no batch was created", error) from None
            self.say(f"creating a batch: {self.without_secrets(error)}")
            return ""

    async def look(self, batch_id: str) -> "Batch | None":
        """Return the batch as it is now; None where the service is out of reach for the moment."""
        from openai import APIConnectionError, APIError, InternalServerError, RateLimitError

        try:
            batch = await self._patient.batches.retrieve(batch_id)
        except APIError as error:
            self._lost_looks += 1
            passing = isinstance(error, (APIConnectionError, InternalServerError, RateLimitError))
            if not passing or self._lost_looks > LOST_LOOKS:
                what = (
                    f"{batch_id} cannot be looked at. Use the key and the address that sent it, or "
                    "give it up: set `collected` to 1 in its row of the table `batches`, beside "
                    "the cached answers"
                )
                raise self._failure(what, error) from None
            self.say(f"{batch_id}: {self.without_secrets(error)}")
            return None
        self._lost_looks = 0
        return batch

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
                    raise self._failure(f"{file_id} cannot be fetched", error) from None
                self.say(f"fetching {file_id}: {self.without_secrets(error)}; once more")
            await asyncio.sleep(self.pause_seconds)
        content.seek(0)

    async def _stream(self, file_id: str, content: IO[bytes]) -> None:
        streamed = self._patient.files.with_streaming_response.content(file_id)
        async with streamed as response:
            async for chunk in response.iter_bytes():
                content.write(chunk)

    @property
    def _patient(self) -> "AsyncOpenAI":
        return self.client.with_options(max_retries=RETRIES)

    def _failure(self, what: str, error: Exception) -> dg.Failure:
        return dg.Failure(
            f"{what}: {self.without_secrets(error)}. What was sent stands, and the answers are "
            "fetched for nothing when this is materialized again",
            allow_retries=False,
        )
