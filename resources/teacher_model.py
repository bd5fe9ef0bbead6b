"""The door to a teacher: any endpoint that speaks OpenAI's chat completions, behind a cache.

The key and the address come from the environment when a model is asked, never when definitions
load.
"""

import os
from pathlib import Path

import dagster as dg

from resources.response_cache import ResponseCache
from resources.teacher_connection import Cost, Endpoint, Sampling, TeacherConnection

OPENAI = "https://api.openai.com/v1"


class TeacherModel(dg.ConfigurableResource):
    """Opens connections to a model; holds no secret itself, only the names of the variables."""

    cache_path: str  # the SQLite file of answers
    api_key_variable: str = "OPENAI_API_KEY"
    base_url_variable: str = "OPENAI_BASE_URL"  # unset: OpenAI itself
    max_retries: int = 5  # after 408, 409, 429, 5xx and lost connections, as Retry-After says

    def endpoint(self, model: str) -> Endpoint:
        """Return where `model` is asked; a dg.Failure where neither key nor address is set."""
        api_key = os.environ.get(self.api_key_variable, "").strip()
        base_url = os.environ.get(self.base_url_variable, "").strip().rstrip("/")
        if not api_key and not base_url:
            raise dg.Failure(
                f"teacher model {model!r} needs {self.api_key_variable} (for OpenAI) or "
                f"{self.base_url_variable} (for any compatible server) in the environment; "
                "nothing was sent. Without a model the task's offline method runs",
                allow_retries=False,
            )
        return Endpoint(base_url or OPENAI, api_key)

    def connect(
        self, endpoint: Endpoint, model: str, sampling: Sampling, timeout_seconds: float, cost: Cost
    ) -> TeacherConnection:
        """Return a connection to `model`; `cost` turns prompt and completion tokens into USD."""
        return TeacherConnection(
            endpoint=endpoint,
            model=model,
            sampling=sampling,
            timeout_seconds=timeout_seconds,
            max_retries=self.max_retries,
            cost=cost,
            cache=ResponseCache(Path(self.cache_path)),
        )
