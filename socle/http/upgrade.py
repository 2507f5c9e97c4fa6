"""Requests that offer another protocol are read as the HTTP/1.1 that they are.

Java's HTTP client offers `Upgrade: h2c` on each request in clear, bodies included. A server may
ignore the offer (RFC 9110 §7.8), but the parser under uvicorn takes what follows the headers for
the other protocol, and the body would be lost.
"""

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class UpgradeIgnoringProtocol(HttpToolsProtocol):
    _resuming = False
    """While a parser is told of a body whose headers another one has read."""

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        try:
            while True:
                try:
                    self.parser.feed_data(data)
                    return
                except httptools.HttpParserUpgrade as offered:
                    data = data[offered.args[0] :]
                    self._read_on()
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")

    def _read_on(self) -> None:
        """A new parser goes on behind the headers, with what they say of the body."""
        framing = self._framing()
        self.parser = httptools.HttpRequestParser(self)
        if framing is not None:
            self._resuming = True
            self.parser.feed_data(b"POST / HTTP/1.1\r\n" + framing + b"\r\n\r\n")

    def _framing(self) -> bytes | None:
        """The header that says how the body ends; None where there is no body."""
        given = dict(self.headers)
        for name in (b"transfer-encoding", b"content-length"):
            if name in given and given[name] != b"0":
                return name + b": " + given[name]
        return None

    def on_message_begin(self) -> None:
        if not self._resuming:
            super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        if not self._resuming:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._resuming:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if not self._resuming:
            super().on_headers_complete()
        self._resuming = False

    def on_message_complete(self) -> None:
        if not (self.parser.should_upgrade() and self._framing()):
            super().on_message_complete()
