"""MTOM: a SOAP message and its attachments in one multipart body (W3C MTOM 1.0, XOP 1.0, RFC 2387).

Real stacks differ, and each of these was seen: no `action` parameter, no `start`, a Content-ID
that is percent-encoded in the href and not in the part, a multipart of one part, line ends of LF.
"""

import base64
import binascii
import quopri
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import unquote

from socle.idgen import random_uuid
from socle.problems import Problem

SOURCE = "MTOM 1.0; XOP 1.0; RFC 2387"
MAX_PARTS = 1000
XOP = "http://www.w3.org/2004/08/xop/include"
SOAP_TYPE = "application/soap+xml"
# What follows the boundary on its line (RFC 2046 §5.1.1): the end of the whole, or white space.
_DELIMITER_END = re.compile(rb"--|[ \t]*\r?\n|[ \t]*\Z")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_FOLD = re.compile(r"\r?\n[ \t]+")


@dataclass(frozen=True, slots=True)
class Attachment:
    content_id: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SoapBody:
    """`root` is the envelope; attachments go by the Content-ID, without its angle brackets."""

    root: bytes = field(repr=False)
    attachments: Mapping[str, Attachment] = field(default_factory=dict, repr=False)
    is_multipart: bool = False
    action: str = ""

    def attachment(self, href: str) -> Attachment | None:
        """What `cid:…` of an xop:Include names, encoded or not."""
        name = href.removeprefix("cid:")
        return self.attachments.get(name) or self.attachments.get(unquote(name))


class UnreadableMultipartError(ValueError):
    def __init__(self, message: str, expected: str) -> None:
        super().__init__(message)
        self.problem = Problem("SOAP-MTOM", "/", message, expected, source=SOURCE)


def read_soap_body(content_type: str, body: bytes) -> SoapBody:
    """Of a plain SOAP message, or of multipart/related."""
    parameters = _parameters(content_type)
    kind = parameters.get_content_type() if content_type else "absent"
    if kind != "multipart/related":
        if kind.startswith("multipart/") or looks_multipart(body):
            raise UnreadableMultipartError(
                f"it is multipart, and Content-Type is {kind[:80]}",
                'multipart/related; type="application/xop+xml"; boundary=…; start=…',
            )
        return SoapBody(body, action=_parameter(parameters, "action"))
    boundary = _parameter(parameters, "boundary")
    if not boundary or len(boundary) > 70:
        raise UnreadableMultipartError(
            "Content-Type has no boundary", "boundary=…, 1 to 70 characters"
        )
    parts = _parts(body, boundary.encode("latin-1", "replace"))
    start = _parameter(parameters, "start").strip("<>")
    root = next((part for part in parts if start and part.content_id == start), parts[0])
    others = [part for part in parts if part is not root]
    found = {part.content_id: part for part in others}
    if len(found) < len(others):
        raise UnreadableMultipartError("two parts have one Content-ID", "each once")
    action = _parameter(parameters, "action") or _parameter(_parameters(root.media_type), "action")
    return SoapBody(root.content, found, is_multipart=True, action=action)


def looks_multipart(body: bytes) -> bool:
    """No XML begins as a boundary does."""
    return body[:200].lstrip().startswith(b"--")


def write_multipart(
    envelope: bytes, attachments: Sequence[Attachment], action: str, soap_type: str = SOAP_TYPE
) -> tuple[str, bytes]:
    """(Content-Type, body). The attachments follow in their order."""
    boundary, root = f"MIME_{random_uuid().hex}", "root.message@socle"
    head = (
        f'--{boundary}\r\nContent-Type: application/xop+xml; charset=UTF-8; type="{soap_type}"\r\n'
        f"Content-Transfer-Encoding: binary\r\nContent-ID: <{root}>\r\n\r\n"
    )
    pieces = [head.encode(), envelope]
    for one in attachments:
        header = (
            f"\r\n--{boundary}\r\nContent-Type: {one.media_type}\r\n"
            f"Content-Transfer-Encoding: binary\r\nContent-ID: <{one.content_id}>\r\n\r\n"
        )
        pieces += [header.encode(), one.content]
    pieces.append(f"\r\n--{boundary}--\r\n".encode())
    content_type = (
        f'multipart/related; type="application/xop+xml"; boundary="{boundary}"; start="<{root}>"; '
        f'start-info="{soap_type}"; action="{action}"'
    )
    return content_type, b"".join(pieces)


def _parts(body: bytes, boundary: bytes) -> list[Attachment]:
    """Splits at the delimiter lines (RFC 2046 §5.1.1); what stands before and after is nothing."""
    delimiter = b"--" + boundary
    at_start = body.startswith(delimiter) and _DELIMITER_END.match(body, len(delimiter))
    position = 0 if at_start else _next(body, delimiter, 0)
    parts: list[Attachment] = []
    while position >= 0:
        after = position + len(delimiter)
        if body[after : after + 2] == b"--":
            break
        line_end = body.find(b"\n", after)
        if line_end < 0:
            raise UnreadableMultipartError("it ends inside a part", "the whole body")
        following = _next(body, delimiter, line_end)
        if following < 0:
            raise UnreadableMultipartError(
                "the closing boundary is missing: the body was cut short",
                f"--{boundary.decode('latin-1')}--",
            )
        end = following - 1  # the line end before a delimiter belongs to the delimiter
        if body[end - 1 : end] == b"\r":
            end -= 1
        parts.append(_part(body[line_end + 1 : max(end, line_end + 1)]))
        if len(parts) > MAX_PARTS:
            raise UnreadableMultipartError(f"more than {MAX_PARTS} parts", f"at most {MAX_PARTS}")
        position = following
    if not parts:
        raise UnreadableMultipartError("no part begins with the boundary", "one part at least")
    return parts


def _next(body: bytes, delimiter: bytes, start: int) -> int:
    """The next delimiter line, or -1. A line that only begins like it is content, for instance the
    delimiter of a multipart inside whose boundary is a longer one."""
    found = body.find(b"\n" + delimiter, start)
    while found >= 0 and not _DELIMITER_END.match(body, found + 1 + len(delimiter)):
        found = body.find(b"\n" + delimiter, found + 1)
    return found + 1 if found >= 0 else -1


def _part(raw: bytes) -> Attachment:
    """Headers end at the first empty line, which is all there is where there are none."""
    if raw.startswith((b"\r\n", b"\n")):
        return Attachment("", "", raw[raw.index(b"\n") + 1 :])
    blank = _BLANK_LINE.search(raw)
    headers, content = (raw[: blank.start()], raw[blank.end() :]) if blank else (raw, b"")
    unfolded = _FOLD.sub(" ", headers.decode("latin-1"))
    fields: dict[str, str] = {}
    for line in unfolded.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            fields[name.strip().lower()] = value.strip()
    content_id = fields.get("content-id", "").strip("<>")
    encoding = fields.get("content-transfer-encoding", "binary").partition("(")[0].strip().lower()
    return Attachment(
        content_id, fields.get("content-type", ""), _decoded(content, encoding, content_id)
    )


def _decoded(content: bytes, encoding: str, content_id: str) -> bytes:
    """Of RFC 2045 §6. MTOM says binary, and stacks that were made for mail say base64."""
    if encoding in ("binary", "8bit", "7bit", ""):
        return content
    try:
        if encoding == "base64":
            return base64.b64decode(content)
        if encoding == "quoted-printable":
            return quopri.decodestring(content)
    except binascii.Error:
        raise UnreadableMultipartError(
            f"the part {content_id[:80]} is no base64: it may have been cut short", "base64, whole"
        ) from None
    raise UnreadableMultipartError(
        f"the part {content_id[:80]} has the Content-Transfer-Encoding {encoding[:40]}",
        "binary, or base64",
    )


def _parameters(content_type: str) -> Message:
    message = Message()
    message["content-type"] = content_type
    return message


def _parameter(message: Message, name: str) -> str:
    value = message.get_param(name, "")
    return value if isinstance(value, str) else ""
