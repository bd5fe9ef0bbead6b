"""The HTTP client under openai's: hands each request whole to aiohttp, and reads the answer whole.

openai takes any httpx2 client. A short request costs the usual one several times what the network
does: connection pool, redirects, cookies and streaming, none of which is needed here.
"""

from typing import Any
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx2
from yarl import URL


class DirectHttpClient(httpx2.AsyncClient):
    """Only for requests with a body in memory; made inside a running event loop."""

    def __init__(self, address: str, max_connections: int, timeout_seconds: float):
        """Connect to `address` alone; `timeout_seconds` is for one whole answer."""
        super().__init__(timeout=timeout_seconds, trust_env=False)
        self._urls: dict[str, httpx2.URL] = {}
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=max_connections, ssl=httpx2.create_ssl_context(trust_env=True)
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=timeout_seconds),
            auto_decompress=False,  # httpx2.Response does it
            **_proxy(URL(address)),
        )

    def build_request(self, method: str, url: httpx2.URL | str, **options: Any) -> httpx2.Request:
        """Return the request as openai wants it; its URL is parsed once."""
        if (parsed := self._urls.get(str(url))) is None:
            parsed = self._urls[str(url)] = httpx2.URL(url)
        return httpx2.Request(
            method, parsed, headers=options.get("headers"), content=options.get("content")
        )

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Return the whole answer; raises httpx2's errors in place of aiohttp's."""
        try:
            async with self._session.request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=request.headers.multi_items(),
                data=request.content,
            ) as answer:
                content = await answer.read()
        except TimeoutError as error:
            raise httpx2.ReadTimeout("timed out", request=request) from error
        except aiohttp.ClientConnectorError as error:
            raise httpx2.ConnectError(str(error), request=request) from error
        except aiohttp.ClientError as error:
            raise httpx2.ReadError(str(error), request=request) from error
        return httpx2.Response(
            answer.status, headers=answer.raw_headers, content=content, request=request
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._session.close()
        await super().aclose()


def _proxy(address: URL) -> dict[str, Any]:
    """Return the proxy that the environment names; aiohttp would look it up for each request."""
    proxy = URL(getproxies().get(address.scheme, ""))
    if not proxy.host or proxy_bypass(address.host or ""):
        return {}
    auth = aiohttp.BasicAuth(proxy.user, proxy.password or "") if proxy.user else None
    return {"proxy": proxy.with_user(None), "proxy_auth": auth}
