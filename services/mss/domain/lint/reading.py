"""From the bytes of a mail to what the rules look at. Costs up to four times the mail: in a thread."""

import binascii
import quopri
from collections.abc import Iterator, Sequence
from typing import Final

from services.mss.domain.headers import decoded
from services.mss.domain.lint.mail import Attached, Document, Mail, Passage
from services.mss.domain.mime import Part, parse
from socle.cda import MalformedCdaError, check_header, metadata_of, read_header
from socle.xdm import Package, PackedDocument, take_apart
from socle.xdm.layout import ARCHIVE

MAX_ARCHIVES: Final = 4
"""One is right; of more, so many are opened."""


def read_mail(content: bytes, *, sender: str, recipients: Sequence[str], passage: Passage) -> Mail:
    root = parse(content)
    leaves = tuple(_leaves(root))
    attached = tuple(_attached(leaves))
    archives = tuple(one for one in attached if one.name.upper() == ARCHIVE)
    packages = [take_apart(one.content) for one in archives[:MAX_ARCHIVES]]
    return Mail(
        size=len(content),
        root=root,
        sender=sender,
        recipients=tuple(recipients),
        passage=passage,
        leaves=leaves,
        attached=attached,
        archives=archives,
        packages=tuple(packages),
        documents=tuple(_document(it) for package in packages for it in package.documents),
    )


def _leaves(part: Part) -> Iterator[Part]:
    """Parts without parts, in their order; a message that is attached is one."""
    if part.is_multipart:
        for child in part.children:
            yield from _leaves(child)
    else:
        yield part


def _attached(leaves: Sequence[Part]) -> Iterator[Attached]:
    for number, part in enumerate(leaves, start=1):
        name = file_name(part)
        if name or part.content_type[0] != "text":
            content, problem = decode(part)
            yield Attached(number, part, name, content, problem)


def file_name(part: Part) -> str:
    """Of Content-Disposition, else of Content-Type: RFC 2231, or the RFC 2047 that many write."""
    return " ".join(decoded(part.filename).split())


def encoding_of(part: Part) -> str:
    return str(part.headers.get("Content-Transfer-Encoding", "7bit")).strip().lower()


def decode(part: Part) -> tuple[bytes, str]:
    """The content, and what is wrong with its encoding."""
    encoding = encoding_of(part)
    if encoding == "base64":
        try:
            return binascii.a2b_base64(part.content), ""
        except binascii.Error:
            return b"", "its base64 is cut short or damaged"
    if encoding == "quoted-printable":
        return quopri.decodestring(part.content), ""
    return part.content, "" if encoding in (
        "7bit",
        "8bit",
        "binary",
    ) else f"encoding {encoding[:40]}"


def _document(packed: PackedDocument) -> Document:
    if packed.content.startswith(b"%PDF"):
        return Document(packed, None, None, (), is_pdf=True)
    try:
        header = read_header(packed.content)
        problems = tuple(check_header(header))
        metadata = metadata_of(header, packed.content)
    except MalformedCdaError as error:
        return Document(packed, None, None, tuple(error.problems))
    return Document(packed, header, metadata, problems)


__all__ = ["Package", "decode", "encoding_of", "file_name", "read_mail"]
