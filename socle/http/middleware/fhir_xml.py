"""FHIR in XML at the edge: routes speak JSON, and these turn bodies from and to XML around them.

A client asks for XML by `_format` or by Accept (FHIR R4 §3.1.0.1.9 and §3.1.0.1.11). Answers are turned
outside of everything that may refuse, requests inside of what limits their bodies.
"""

import asyncio
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from socle.fhir.messages import accepted_types
from socle.fhir.xml import FHIR_XML, json_of_xml, xml_of_json
from socle.http.context import header
from socle.http.middleware.space import PREFIX

_JSON: Final = b"application/fhir+json"
_XML_TYPES: Final = frozenset({FHIR_XML, "application/xml", "text/xml"})
_XML_FORMATS: Final = _XML_TYPES | {"xml"}
_CLIENT_GONE: Final = "http.disconnect"


class FhirXmlAnswers:
    """`prefixes` are the paths of FHIR servers, without the space."""

    def __init__(self, app: ASGIApp, prefixes: Iterable[str]) -> None:
        self.app = app
        self.prefixes = tuple(prefixes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._is_fhir(scope) or not _wants_xml(scope):
            await self.app(scope, receive, send)
            return
        turned = _Turned(send)
        # The routes know one form; what they would give natively (a document) stays as it is.
        headers = [(k, v) for k, v in scope["headers"] if k != b"accept"]
        await self.app({**scope, "headers": [*headers, (b"accept", _JSON)]}, receive, turned)

    def _is_fhir(self, scope: Scope) -> bool:
        if scope["type"] != "http":
            return False
        path: str = scope["path"]
        if path.startswith(PREFIX):
            path = "/" + path.removeprefix(PREFIX).partition("/")[2]
        return path.startswith(self.prefixes)


class FhirXmlRequests:
    def __init__(self, app: ASGIApp, prefixes: Iterable[str]) -> None:
        self.app = app
        self.prefixes = tuple(prefixes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = (
            header(scope, b"content-type").partition(";")[0].strip().lower() if _http(scope) else ""
        )
        if kind not in _XML_TYPES or not scope["path"].startswith(self.prefixes):
            await self.app(scope, receive, send)
            return
        body = await asyncio.to_thread(json_of_xml, await _read(receive))
        replaced = (b"content-type", b"content-length", b"transfer-encoding")
        headers = [(k, v) for k, v in scope["headers"] if k not in replaced]
        headers += [(b"content-type", _JSON), (b"content-length", str(len(body)).encode())]
        await self.app({**scope, "headers": headers}, _replayed(body, receive), send)


class _Turned:
    """Holds the answer back until it is whole, and turns it if it is a resource."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            kind = dict(message["headers"]).get(b"content-type", b"")
            if kind.startswith(_JSON):
                self._start = message
                return
        if self._start is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        written = await asyncio.to_thread(xml_of_json, bytes(self._body)) if self._body else b""
        start, self._start = self._start, None
        if written is None:  # it cannot be said in XML: its own form is better than nothing
            written, kind = bytes(self._body), _JSON
        else:
            kind = FHIR_XML.encode() + b"; charset=utf-8"
        headers = [
            (k, v) for k, v in start["headers"] if k not in (b"content-type", b"content-length")
        ]
        headers += [(b"content-type", kind), (b"content-length", str(len(written)).encode())]
        await self._send({**start, "headers": headers})
        await self._send({"type": "http.response.body", "body": written})


def _http(scope: Scope) -> bool:
    return bool(scope["type"] == "http")


def _wants_xml(scope: Scope) -> bool:
    for name, value in parse_qsl(scope["query_string"].decode("latin-1")):
        if name == "_format":
            # A plus sign that was not encoded arrives as a space.
            return value.replace(" ", "+").partition(";")[0].strip().lower() in _XML_FORMATS
    accepted = accepted_types(header(scope, b"accept"))
    first = next((kind for kind in accepted if kind in _XML_TYPES or "json" in kind), "")
    if "/Binary/" in scope["path"]:  # XML there is the document itself, unless FHIR is named
        return first == FHIR_XML
    return first in _XML_TYPES


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == _CLIENT_GONE:
            return bytes(body)
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
