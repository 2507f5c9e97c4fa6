"""The connections to the services."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from gateway.settings import GatewaySettings

# The services keep an idle connection for 75 s (socle/http/server.py). Ours are given up long
# before, so that a request never meets one that is being closed.
KEEPALIVE_SECONDS = 30.0
READ_BUFFER_BYTES = 64 * 1024
# A redirect may carry a signed token in its Location; the library's 8 KiB would break it off.
HEADER_FIELD_BYTES = 64 * 1024
_SET_BY_CLIENTS_ALONE = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


@dataclass(frozen=True)
class Upstreams:
    urls: Mapping[str, str]
    session: aiohttp.ClientSession

    async def send(
        self,
        service: str,
        method: str,
        target: str,
        headers: CIMultiDict[str] | None = None,
        body: AsyncIterator[bytes] | None = None,
        patience: aiohttp.ClientTimeout | None = None,
    ) -> aiohttp.ClientResponse:
        """The answer's head; its body waits to be read.

        `target` (path and query) is sent as it is: normalising it would change what a signature
        covers and what a percent-encoded slash means.
        """
        return await self.session.request(
            method,
            URL(self.urls[service] + target, encoded=True),
            headers=headers,
            data=body,
            allow_redirects=False,
            timeout=patience or self.session.timeout,
        )


@asynccontextmanager
async def open_upstreams(settings: GatewaySettings) -> AsyncIterator[Upstreams]:
    """No cap on connections here: the cap is on the requests in flight."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE_SECONDS)
    timeout = aiohttp.ClientTimeout(
        total=None,
        sock_connect=settings.gateway_connect_seconds,
        sock_read=settings.gateway_silence_seconds,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=_SET_BY_CLIENTS_ALONE,
        trust_env=False,
        read_bufsize=READ_BUFFER_BYTES,
        max_line_size=HEADER_FIELD_BYTES,
        max_field_size=HEADER_FIELD_BYTES,
    ) as session:
        yield Upstreams(settings.upstream_urls(), session)
