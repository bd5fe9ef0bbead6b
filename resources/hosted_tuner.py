"""A hosted tuning job from its files to its model: created once, whatever breaks.

The job is written down before it is created, and carries the hash of its run key as metadata. A run
that died at any point is gone on from by the next: it finds the job by its id, or by that hash
among the service's jobs. A job that has a model is never repeated.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from resources.billed_service import BilledService
from resources.hosted_job import HostedJob, TunedModel, TuningFailed
from resources.hosted_service import FILES_EXPIRE_SECONDS, TAG, HostedService
from resources.hosted_watch import Watch, has_model
from resources.sent_ledger import Sent, SentLedger, tag_of

if TYPE_CHECKING:
    from openai import AsyncOpenAI

CREATIONS = 3  # tries to create a job; before each it is looked whether the one before did
MOST_BYTES = 512_000_000  # the service's limit of one file
CANCEL_SECONDS = 10.0  # a run that is ended is killed when it takes its time
_STANDS = "A job that was created goes on at the service, and is gone on with the next time"


@dataclass
class HostedTuner:
    """Tunes models at one address of a service."""

    client: "AsyncOpenAI"
    address: str
    ledger_path: Path  # a SQLite file that remembers which jobs were created
    say: Callable[[str], None]
    poll_seconds: float = 30.0
    without_secrets: Callable[[Exception | str], str] = str
    cancel_with_the_run: bool = True

    async def tune(self, job: HostedJob) -> TunedModel:
        """Return the job's model, of an earlier run's job where there is one.

        Raises TuningFailed with the service's reason where the job fails or is cancelled, and
        before anything is uploaded where a new job is over its cap.
        """
        self.ledger_path.parent.mkdir(parents=True, exist_ok=True)
        ledger = SentLedger(self.ledger_path)
        calls = BilledService(
            self.client, self.without_secrets, self._say, self.poll_seconds, TuningFailed, _STANDS
        )
        try:
            return await _Run(self, job, HostedService(calls), ledger, self._say).finish()
        finally:
            ledger.close()

    def _say(self, text: str) -> None:
        self.say(self.without_secrets(text))


@dataclass
class _Run:
    tuner: HostedTuner
    job: HostedJob
    service: HostedService
    ledger: SentLedger
    say: Callable[[str], None]
    sent: Sent | None = None

    async def finish(self) -> TunedModel:
        try:
            async with self.ledger.alone(self.say):
                self.sent = await self._standing() or await self._created()
            watch = Watch(self.service, self.say, self.tuner.poll_seconds)
            now = await watch.until_over(self.sent.service_id)
            if not has_model(now):
                self.ledger.taken(self.sent)
            return await watch.model_of(now)
        except BaseException as error:
            # CancelledError, or what a signal's handler raises: an Exception is no cancellation
            if not isinstance(error, (Exception, GeneratorExit)):
                await self._end_there()
            raise

    async def _standing(self) -> Sent | None:
        """Return the job of an earlier run; forget what was intended and never created."""
        for sent in self.ledger.open_for([self._key]):
            self.sent = sent
            if job_id := sent.service_id or await self._cut_off(sent):
                self.say(f"{job_id} was created by an earlier run: going on with it")
                return self.ledger.created(sent, job_id)
            self.ledger.withdraw(sent)
            self.sent = None
        if found := await self._find(time.time()):  # the ledger is lost, or another's
            self.say(f"{found} was created by an earlier run: going on with it")
            return self.ledger.created(self.ledger.intend([self._key]), found)
        return None

    async def _created(self) -> Sent:
        self._require_allowed()
        body = self.job.body(TAG, tag_of([self._key]), *await self._uploaded())
        self.sent = sent = self.ledger.intend([self._key])
        problem = ""
        for _ in range(CREATIONS):
            created, problem = await self.service.create(body)
            if created:
                self.say(f"{created}: created, estimated at ${self.job.estimated_cost_usd:.2f}")
                return self.ledger.created(sent, created)
            await asyncio.sleep(self.tuner.poll_seconds)
            if found := await self._find(sent.intended):
                return self.ledger.created(sent, found)
        raise TuningFailed(
            f"no answer came to {CREATIONS} tries to create a tuning job, and none is listed; the "
            f"last: {problem}. Materialize again: it is looked for before another is created"
        )

    async def _find(self, since: float) -> str:
        return await self.service.find(tag_of([self._key]), since, self.ledger.is_taken)

    def _require_allowed(self) -> None:
        """Raise before anything is uploaded."""
        cost, cap = self.job.estimated_cost_usd, self.job.max_cost_usd
        if cost > cap:
            raise TuningFailed(
                f"tuning {self.job.model} is estimated at ${cost:.2f}, over max_cost_usd "
                f"${cap:.2f}. Nothing was uploaded; raise it, lower n_epochs, use fewer examples, "
                "or name a cheaper model"
            )
        for path in filter(None, (self.job.training_file, self.job.validation_file)):
            if (size := path.stat().st_size) > MOST_BYTES:
                raise TuningFailed(
                    f"{path.name} has {size} bytes; the service takes {MOST_BYTES}. Nothing was "
                    "uploaded; use fewer examples"
                )

    async def _uploaded(self) -> tuple[str, str]:
        """Return the ids of training and validation file; '' where there is none."""
        ids = ["", ""]
        for place, path in enumerate((self.job.training_file, self.job.validation_file)):
            if path is not None:
                self.say(f"uploading {path.name}, {path.stat().st_size} bytes")
                with path.open("rb") as file:
                    # that personal data does not lie there for ever, nor the file of a killed run
                    ids[place] = await self.service.calls.upload(
                        path.name, file, "fine-tune", FILES_EXPIRE_SECONDS
                    )
        return ids[0], ids[1]

    async def _end_there(self) -> None:
        """Cancel the job when the run is cancelled, and say what became of it."""
        if self.sent is None:
            return
        job_id = self.sent.service_id
        if not self.tuner.cancel_with_the_run:
            self.say(f"{job_id or 'the job'} goes on at the service: the next run finds it")
            return
        try:
            async with asyncio.timeout(CANCEL_SECONDS):
                job_id = job_id or await self._cut_off(self.sent)
                if job_id:
                    await self.service.cancel(job_id)
        except Exception as error:
            self.say(
                f"{job_id or 'the job'} could not be cancelled and may go on, and cost: "
                f"{error or 'no answer came'}. Cancel it at the service, or materialize again to "
                "go on with it"
            )
            return
        if not job_id:
            self.say(
                "the run was cancelled while it created a job, and the service lists none; should "
                "there be one, the next run goes on with it"
            )
            return
        self.ledger.taken(self.ledger.created(self.sent, job_id))
        self.say(f"{job_id} is cancelled with this run; what it has trained may be billed")

    async def _cut_off(self, sent: Sent) -> str:
        """Return the job whose creation was cut off, if it comes through in a few seconds."""
        for _ in range(CREATIONS):
            if found := await self._find(sent.intended):
                return found
            await asyncio.sleep(min(self.tuner.poll_seconds, CANCEL_SECONDS / 5))
        return ""

    @property
    def _key(self) -> str:
        return self.job.key(self.tuner.address)
