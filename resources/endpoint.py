"""Where a teacher is asked, and what about that is secret."""

from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

if TYPE_CHECKING:
    from openai import AsyncOpenAI


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
        """Return a client that neither retries nor knows more of the address than it may log."""
        from httpx2 import Limits
        from openai import AsyncOpenAI, DefaultAioHttpClient

        limits = Limits(max_connections=max_connections, max_keepalive_connections=max_connections)
        return AsyncOpenAI(
            api_key=self.api_key or "none",
            base_url=self.address,
            default_headers=self._authorization(),
            max_retries=0,
            timeout=timeout_seconds,
            http_client=DefaultAioHttpClient(limits=limits),
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
