"""The service's side of the Batch API: batches found, created and looked at."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

import dagster as dg

from resources.batch_files import CHAT_COMPLETIONS
from resources.billed_service import BilledService

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types import Batch

TAG = "tuneline_request_set"  # in a batch's metadata: the hash of its requests
# Twice the completion window. The newest are listed first, so what is older is not paged through.
LOOK_BACK_SECONDS = 48 * 3600
_STANDS = (
    "What was sent stands, and the answers are fetched for nothing when this is materialized again"
)
_GIVE_UP = (
    "Use the key and the address that sent it, or give it up: set `taken` to 1 in its row of the "
    "table `sent`, beside the cached answers"
)


@dataclass
class BatchService:
    """Calls the service; what cannot go on is a dg.Failure without secrets in its text."""

    client: "AsyncOpenAI"
    without_secrets: Callable[[Exception | str], str]
    say: Callable[[str], None]
    pause_seconds: float
    _calls: BilledService = field(init=False)

    def __post_init__(self) -> None:
        asked = (self.client, self.without_secrets, self.say, self.pause_seconds)
        self._calls = BilledService(*asked, failure=_failure, what_now=_STANDS)

    async def find(self, tag: str, since: float, is_done: Callable[[str], bool]) -> str:
        """Return the id of a batch with this tag that is not done and did not fail, or ''."""
        from openai import APIError

        try:
            async for batch in self._calls.patient.batches.list(limit=100):
                if batch.created_at < since - LOOK_BACK_SECONDS:
                    break
                tagged = (batch.metadata or {}).get(TAG) == tag
                if tagged and batch.status != "failed" and not is_done(batch.id):
                    return batch.id
        except APIError as error:
            what = "the batches cannot be listed, so none is created"
            raise self._calls.failed(what, error) from None
        return ""

    async def upload(self, file: IO[bytes]) -> str:
        """Return the id of a file of requests."""
        return await self._calls.upload("requests.jsonl", file, "batch")

    async def create(self, input_file: str, tag: str) -> str:
        """Return the id of a new batch; '' where it is not known whether there is one now."""
        created, _ = await self._calls.create(
            "batch",
            lambda client: client.batches.create(
                input_file_id=input_file,
                endpoint=CHAT_COMPLETIONS,
                completion_window="24h",
                metadata={TAG: tag},
            ),
        )
        return created.id if created else ""

    async def look(self, batch_id: str) -> "Batch | None":
        """Return the batch as it is now; None where the service is out of reach for the moment."""
        call = self._calls.patient.batches.retrieve(batch_id)
        return await self._calls.look(batch_id, call, _GIVE_UP)

    async def download(self, file_id: str, content: IO[bytes]) -> None:
        """Write a file's content to `content`, and go back to its beginning; none if it is gone."""
        await self._calls.download(file_id, content)


def _failure(text: str) -> dg.Failure:
    return dg.Failure(text, allow_retries=False)
