"""A hosted tuning job from its creation to its end: events as they come, then model or reason."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from resources.hosted_job import TunedModel, TuningFailed
from resources.hosted_results import Metrics, by_step, metrics_of
from resources.hosted_service import HostedService

if TYPE_CHECKING:
    from openai.types.fine_tuning import FineTuningJob

FINAL = ("succeeded", "failed", "cancelled")


@dataclass
class Watch:
    """Watches one job."""

    service: HostedService
    say: Callable[[str], None]
    poll_seconds: float
    _told: set[str] = field(default_factory=set)  # ids of events
    _last_error: str = ""  # of the events
    _metrics: list[dict[str, Any]] = field(default_factory=list)  # of the events

    async def until_over(self, job_id: str) -> "FineTuningJob":
        """Tell the job's events until it is over, and return it as it then is."""
        told = ""
        while True:
            now = await self.service.look(job_id)
            await self._tell_events(job_id)
            if now is not None and now.status != told:
                told = now.status
                self.say(f"{job_id}: {told}")
            if now is not None and now.status in FINAL:
                return now
            await asyncio.sleep(self.poll_seconds)

    async def model_of(self, now: "FineTuningJob") -> TunedModel:
        """Return the model of a job that is over; raises TuningFailed where it has none."""
        model = now.fine_tuned_model
        if not has_model(now) or model is None:
            raise TuningFailed(
                f"{now.id}: tuning {now.model} {self._how_it_ended(now)}. "
                "Materialize again to create another job"
            )
        return TunedModel(
            model=model,
            job_id=now.id,
            base_model=now.model,
            trained_tokens=now.trained_tokens,
            hyperparameters=_hyperparameters(now),
            seed=now.seed,
            seconds=float((now.finished_at or now.created_at) - now.created_at),
            history=await self._history(now),
        )

    async def _tell_events(self, job_id: str) -> None:
        for event in await self.service.events(job_id, self._told):
            self.say(f"{job_id}: {event.message}")
            if event.level == "error":
                self._last_error = event.message
            if event.type == "metrics" and isinstance(event.data, dict):
                self._metrics.append(event.data)

    def _how_it_ended(self, now: "FineTuningJob") -> str:
        if now.status == "cancelled":
            return "was cancelled at the service"
        if now.status == "succeeded":
            return "succeeded, and names no model"
        error = now.error
        parts = [error.code, error.message, error.param and f"({error.param})"] if error else []
        said = " ".join(filter(None, parts)) or self._last_error or "no reason was given"
        return f"failed: {self.service.calls.without_secrets(said.rstrip('.'))}"

    async def _history(self, now: "FineTuningJob") -> list[Metrics]:
        """Return the metrics of the result files; of the events where a file cannot be read."""
        found: list[Metrics] = []
        for file_id in now.result_files:
            try:
                found += metrics_of(await self.service.content(file_id))
            except (ValueError, TuningFailed) as error:  # the model stands, and is paid for
                self.say(f"{file_id}: {error}; the loss is taken from the events")
        return found or by_step(self._metrics)


def has_model(now: "FineTuningJob") -> bool:
    """Return whether a job came to something."""
    return now.status == "succeeded" and bool(now.fine_tuned_model)


def _hyperparameters(now: "FineTuningJob") -> dict[str, Any]:
    """Return those that were used; the older field is empty for all but supervised jobs."""
    method = now.method and (now.method.supervised or now.method.dpo)
    newer = method.hyperparameters if method else None
    found = {}
    for source in (now.hyperparameters, newer):
        found |= source.model_dump(exclude_none=True) if source else {}
    return found
