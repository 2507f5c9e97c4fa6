"""Readiness probes. A probe answers yes or no; it never raises for a process that is not up yet."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

Probe = Callable[[], Awaitable[bool]]

PROBE_TIMEOUT = 5.0


def http_probe(url: str) -> Probe:
    """True when a GET of `url` answers 200.

    Written on a plain connection: an HTTP client library costs the supervisor more memory than
    the rest of its code together.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname is None:
        raise ValueError(f"a readiness probe needs an http:// URL, not {url}")
    host, port = parts.hostname, parts.port or 80
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    request = f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode()

    async def answers_200() -> bool:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT):
                return await _status(host, port, request) == b"200"
        except (OSError, TimeoutError):
            return False

    return answers_200


async def _status(host: str, port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(request)
        await writer.drain()
        status_line = (await reader.readline()).split()  # HTTP/1.1 200 OK
        return status_line[1] if len(status_line) > 1 else b""
    finally:
        writer.close()
