"""The services behind /send: the sandbox's own, and those that a setting names."""

import re
from typing import Final
from urllib.parse import unquote

from services.psc.domain.esante_proxy import ProxyError
from services.psc.settings import PscSettings

_OWN: Final = {"ins": "/ins", "dmp": "/dmp/fhir", "mss": "/mss", "usage": "/usage"}
_SEGMENT = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@|%-]*")


def address_of(settings: PscSettings, space: str, backend: str, path: str) -> str:
    """ProxyError(404) for a backend that is not configured, or a path that leads out of it."""
    base = settings.psc_proxy_backends.get(backend)
    if base is None and backend in _OWN:
        url: str = getattr(settings, f"{backend}_url")
        base = f"{url.rstrip('/')}/s/{space}{_OWN[backend]}"
    if base is None:
        known = ", ".join(sorted({*_OWN, *settings.psc_proxy_backends}))
        raise ProxyError(404, f"No backend of this name; there are {known}.")
    segments = path.split("/")
    if any(unquote(part) in (".", "..") or not _SEGMENT.fullmatch(part) for part in segments):
        raise ProxyError(404, "The path has segments that no backend takes.")
    return f"{base.rstrip('/')}/{path}"
