"""The service's side of a hosted tuning job: found, created, looked at, its events, its end."""

from collections.abc import Callable
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from resources.billed_service import BilledService

if TYPE_CHECKING:
    from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent

TAG = "tuneline_run_key"  # in a job's metadata: the hash of its run key
FRUITLESS = ("failed", "cancelled")
CLOCKS_DIFFER_SECONDS = 600
FILES_EXPIRE_SECONDS = 30 * 24 * 3600  # the longest that the service offers
_WAY_OUT = (
    "Use the key and the address that created it, or give it up: set `taken` to 1 in its row of "
    "the table `sent` of the ledger of hosted jobs"
)


@dataclass
class HostedService:
    """Calls `fine_tuning/jobs` and `files`."""

    calls: BilledService

    async def find(self, tag: str, since: float, is_taken: Callable[[str], bool]) -> str:
        """Return the id of the job with this tag, or ''.

        One that came to nothing counts only where it was created after `since`: then nobody has
        been told yet. Of several the one that has a model is taken, else the oldest.
        """
        from openai import APIError

        found: list[FineTuningJob] = []
        try:
            # asked for by its tag, and looked at again: not every server can filter
            async for job in self.calls.patient.fine_tuning.jobs.list(
                limit=100, metadata={TAG: tag}
            ):
                if (job.metadata or {}).get(TAG) == tag and not is_taken(job.id):
                    found.append(job)
        except APIError as error:
            what = "the tuning jobs cannot be listed, so none is created"
            raise self.calls.failed(what, error) from None
        recent = since - CLOCKS_DIFFER_SECONDS
        live = [j for j in found if j.status not in FRUITLESS or j.created_at >= recent]
        best = min(live, key=lambda j: (j.status != "succeeded", j.created_at, j.id), default=None)
        return best.id if best else ""

    async def create(self, body: dict[str, Any]) -> tuple[str, str]:
        """Return a new job's id; '' and what was said where it is not known if there is one."""
        created, problem = await self.calls.create(
            "tuning job", lambda client: client.fine_tuning.jobs.create(**body)
        )
        return (created.id if created else ""), problem

    async def look(self, job_id: str) -> "FineTuningJob | None":
        """Return the job as it is now; None where the service is out of reach for the moment."""
        call = self.calls.patient.fine_tuning.jobs.retrieve(job_id)
        return await self.calls.look(job_id, call, _WAY_OUT)

    async def events(self, job_id: str, known: set[str]) -> "list[FineTuningJobEvent]":
        """Return the events that are not `known`, oldest first, and add them to it."""
        from openai import APIError

        new: list[FineTuningJobEvent] = []
        try:
            listed = self.calls.patient.fine_tuning.jobs.list_events(job_id, limit=100)
            async for event in listed:  # newest first
                if event.id in known:
                    break
                new.append(event)
        except APIError as error:
            self.calls.say(f"the events of {job_id}: {self.calls.without_secrets(error)}")
            return []  # all of them at the next look: half a page would hide the older half
        known |= {event.id for event in new}
        new.reverse()
        return sorted(new, key=lambda event: event.created_at)

    async def cancel(self, job_id: str) -> None:
        """End the job at the service."""
        await self.calls.patient.fine_tuning.jobs.cancel(job_id)

    async def content(self, file_id: str) -> bytes:
        """Return what a file holds; nothing if it is gone."""
        with TemporaryFile() as file:
            await self.calls.download(file_id, file)
            return file.read()
