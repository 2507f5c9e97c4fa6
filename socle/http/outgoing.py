"""Calls from one part of Socle to another."""

import ssl
from functools import cache

import httpx


@cache
def trusted() -> ssl.SSLContext:
    """The authorities of the machine, or of SSL_CERT_FILE. Reading them takes ten milliseconds, which a
    client of httpx would take each time."""
    return httpx.create_ssl_context()


def inner_client(base_url: str = "", *, timeout: httpx.Timeout | float) -> httpx.AsyncClient:
    """By no proxy of the environment, which leads out of the house; no redirect is followed, since a
    token goes where it is sent."""
    return httpx.AsyncClient(base_url=base_url, timeout=timeout, verify=trusted(), trust_env=False)
