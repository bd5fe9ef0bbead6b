"""The door to a service that tunes its own models: OpenAI's, or one that speaks its protocol.

The key and the address come from the environment when a job is run, never when definitions load.
Training and validation examples leave for that address, and expire there after 30 days.
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import dagster as dg

from resources.endpoint import Endpoint
from resources.hosted_job import HostedJob, TunedModel, TuningFailed
from resources.hosted_tuner import HostedTuner

OPENAI = "https://api.openai.com/v1"


class HostedTuning(dg.ConfigurableResource):
    """Runs tuning jobs; holds no secret itself, only the names of the variables."""

    ledger_path: str  # the SQLite file of the jobs that were created; all workers share it
    api_key_variable: str = "OPENAI_API_KEY"
    base_url_variable: str = "OPENAI_BASE_URL"  # unset: OpenAI itself
    poll_seconds: float = 30.0  # between two looks at a job
    # False: a run that is cancelled leaves its job, and its cost, to the next run.
    cancel_with_the_run: bool = True

    def tune(self, job: HostedJob, say: Callable[[str], None]) -> TunedModel:
        """Return the model of the job; raises dg.Failure with the reason where there is none.

        `say` gets the job's events as they come. A run that is cancelled cancels the job.
        """
        try:
            return asyncio.run(self._tune(job, self.endpoint(), say))
        except TuningFailed as error:
            raise dg.Failure(str(error), allow_retries=False) from None

    async def _tune(
        self, job: HostedJob, endpoint: Endpoint, say: Callable[[str], None]
    ) -> TunedModel:
        async with endpoint.client_for_files() as client:
            tuner = HostedTuner(
                client=client,
                address=endpoint.address,
                ledger_path=Path(self.ledger_path),
                say=say,
                poll_seconds=self.poll_seconds,
                without_secrets=endpoint.without_secrets,
                cancel_with_the_run=self.cancel_with_the_run,
            )
            return await tuner.tune(job)

    def endpoint(self) -> Endpoint:
        """Return where jobs are run; raises TuningFailed where the environment does not say."""
        api_key = os.environ.get(self.api_key_variable, "").strip()
        base_url = os.environ.get(self.base_url_variable, "").strip().rstrip("/")
        if not (api_key or base_url):
            raise TuningFailed(
                f"hosted tuning needs {self.api_key_variable} (for OpenAI) or "
                f"{self.base_url_variable} (for a compatible service) in the environment; nothing "
                "was sent"
            )
        parts = urlsplit(base_url or OPENAI)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise TuningFailed(
                f"{self.base_url_variable} is not http(s)://host/path without a question mark. A "
                f"key goes into {self.api_key_variable}, a user and a password before the host"
            )
        return Endpoint(base_url or OPENAI, api_key)
