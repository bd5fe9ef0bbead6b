"""Where a teacher is asked, and what about that is secret."""

from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

if TYPE_CHECKING:
    from httpx2 import AsyncClient
    from openai import AsyncOpenAI

FILE_TIMEOUT_SECONDS = 600.0  # without a byte; a service looks through a file before it answers


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server that speaks OpenAI's chat completions."""

    base_url: str = field(repr=False)  # may hold a user and a password
    api_key: str = field(repr=False)  # empty: a server of one's own that asks for none

    @property
    def at_openai(self) -> bool:
        """Whether OpenAI sends the bill."""
        host = self._parts.hostname or ""
        return host == "openai.com" or host.endswith(".openai.com")

    @property
    def address(self) -> str:
        """The address without user and password."""
        return f"{self._parts.scheme}://{self._parts.netloc.rpartition('@')[2]}{self._parts.path}"

    def client(self, max_connections: int, timeout_seconds: float) -> "AsyncOpenAI":
        """Return a client for many short requests; `timeout_seconds` is for one whole answer."""
        from resources.direct_http import DirectHttpClient

        http_client = DirectHttpClient(self.address, max_connections, timeout_seconds)
        return self._client(http_client, timeout_seconds)

    def client_for_files(self) -> "AsyncOpenAI":
        """Return a client that sends and fetches files bit by bit."""
        from openai import DefaultAioHttpClient

        http_client = DefaultAioHttpClient(timeout=FILE_TIMEOUT_SECONDS)
        return self._client(http_client, FILE_TIMEOUT_SECONDS)

    def _client(self, http_client: "AsyncClient", timeout_seconds: float) -> "AsyncOpenAI":
        """Return a client that does not retry, and whose address may be logged."""
        from openai import AsyncOpenAI

        return AsyncOpenAI(
            api_key=self.api_key or "none",
            base_url=self.address,
            default_headers=self._authorization(),
            max_retries=0,
            timeout=timeout_seconds,
            http_client=http_client,
        )

    def without_secrets(self, error: Exception | str) -> str:
        """Return the error's text; servers like to quote the key that they refuse."""
        text = str(error)
        password = self._parts.password
        for secret in filter(None, (self.api_key, password, password and unquote(password))):
            text = text.replace(secret, "***")
        return text

    def _authorization(self) -> dict[str, str]:
        if self._parts.username is None:
            return {}
        pair = f"{unquote(self._parts.username)}:{unquote(self._parts.password or '')}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}

    @property
    def _parts(self) -> SplitResult:
        return urlsplit(self.base_url)
