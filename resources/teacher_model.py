"""The door to a teacher: any endpoint that speaks OpenAI's chat completions, behind a cache.

The key and the address come from the environment when a model is asked, never when definitions
load.
"""

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import dagster as dg

from resources.chat_request import Sampling
from resources.endpoint import Endpoint
from resources.purse import Cost, Purse
from resources.response_cache import ResponseCache
from resources.teacher_connection import TeacherConnection

OPENAI = "https://api.openai.com/v1"


class TeacherModel(dg.ConfigurableResource):
    """Opens connections to a model; holds no secret itself, only the names of the variables."""

    cache_path: str  # the SQLite file of answers
    api_key_variable: str = "OPENAI_API_KEY"
    base_url_variable: str = "OPENAI_BASE_URL"  # unset: OpenAI itself
    max_retries: int = 5  # of a request, after 408, 409, 429, 5xx, lost and unreadable answers

    def endpoint(self, model: str, replay: bool = False) -> Endpoint:
        """Return where `model` is asked; a dg.Failure where neither key nor address is set.

        `replay` needs no key: it only looks up what was asked at that address.
        """
        api_key = os.environ.get(self.api_key_variable, "").strip()
        base_url = os.environ.get(self.base_url_variable, "").strip().rstrip("/")
        if not (api_key or base_url or replay):
            raise dg.Failure(
                f"teacher model {model!r} needs {self.api_key_variable} (for OpenAI) or "
                f"{self.base_url_variable} (for any compatible server) in the environment; "
                "nothing was sent. Without a model the task's offline method runs",
                allow_retries=False,
            )
        parts = urlsplit(base_url or OPENAI)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise dg.Failure(
                f"{self.base_url_variable} is not http(s)://host/path without a question mark: "
                "requests add their own path to it. A key goes into "
                f"{self.api_key_variable}, a user and a password before the host",
                allow_retries=False,
            )
        return Endpoint(base_url or OPENAI, api_key)

    def connect(
        self,
        endpoint: Endpoint,
        model: str,
        sampling: Sampling,
        timeout_seconds: float,
        cost: Cost,
        purse: Purse,
        max_concurrency: int,
        replay: bool = False,
        batch_poll_seconds: float = 30.0,
        say: Callable[[str], None] = lambda text: None,
    ) -> TeacherConnection:
        """Return a connection to `model`.

        Args:
            endpoint: where it is asked.
            model: its name there.
            sampling: what else decides an answer.
            timeout_seconds: for one whole answer; then the request is lost, and sent again.
            cost: turns prompt and completion tokens into US dollars.
            purse: pays each attempt; what it raises stops the run.
            max_concurrency: requests in flight at once.
            replay: ask nothing; a request that the cache cannot answer is a dg.Failure.
            batch_poll_seconds: between two looks at a batch.
            say: takes lines about the progress of batches.
        """
        return TeacherConnection(
            endpoint=endpoint,
            model=model,
            sampling=sampling,
            timeout_seconds=timeout_seconds,
            max_retries=self.max_retries,
            max_concurrency=max_concurrency,
            cost=cost,
            purse=purse,
            cache=ResponseCache(Path(self.cache_path)),
            replay=replay,
            batch_poll_seconds=batch_poll_seconds,
            say=say,
        )
