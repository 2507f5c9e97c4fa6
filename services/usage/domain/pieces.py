"""Evidence files: what kind a file is by its content, and under which name it is given back.

The name that a client gives is a label: never a path, and never what decides the kind.
"""

import re
import struct
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Final
from urllib.parse import quote

from services.usage.domain.acts import holds_number_of_person
from socle.problems import Problem

MAX_NAME = 120
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MACROS: Final = ("vbaproject.bin", "xl/macrosheets/")
_MAX_PARTS = 10_000


@dataclass(frozen=True, slots=True)
class Kind:
    extension: str
    media_type: str


PDF: Final = Kind("pdf", "application/pdf")
CSV: Final = Kind("csv", "text/csv")
XLSX: Final = Kind("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
PNG: Final = Kind("png", "image/png")
JPEG: Final = Kind("jpg", "image/jpeg")
KINDS: Final = (PDF, CSV, XLSX, PNG, JPEG)
_SAYS_NOTHING = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_ALIASES = {
    "image/jpg": JPEG.media_type,
    "application/csv": CSV.media_type,
    "application/vnd.ms-excel": CSV.media_type,  # what browsers on Windows say of a .csv
}


def kind_of(content: bytes) -> Kind | None:
    """By the content alone, from its first byte to its last; None where it is none of the five."""
    return next((kind for kind, test in _TESTS if test(content)), None)


def _is_pdf(content: bytes) -> bool:
    return content.startswith(b"%PDF-") and b"%%EOF" in content[-1024:]


def _is_png(content: bytes) -> bool:
    return content.startswith(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR") and content.endswith(
        b"\x00\x00\x00\x00IEND\xaeB`\x82"
    )


def _is_jpeg(content: bytes) -> bool:
    return content.startswith(b"\xff\xd8\xff") and content.endswith(b"\xff\xd9")


def _is_xlsx(content: bytes) -> bool:
    """A workbook without macros. Its directory alone is read: nothing is decompressed."""
    if not content.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = [it.filename.lower() for it in archive.infolist()[: _MAX_PARTS + 1]]
    except (zipfile.BadZipFile, struct.error, NotImplementedError, ValueError, OSError, EOFError):
        return False
    return (
        len(names) <= _MAX_PARTS
        and {"[content_types].xml", "xl/workbook.xml"} <= set(names)
        and not any(macro in name for name in names for macro in _MACROS)
    )


def _is_csv(content: bytes) -> bool:
    """UTF-8 with or without BOM, without control characters, its first line in fields."""
    if _CONTROL.search(content):
        return False
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    first = next(iter(text.splitlines()), "")
    return any(separator in first for separator in ";,\t")


_TESTS: Final[tuple[tuple[Kind, Callable[[bytes], bool]], ...]] = (
    (PDF, _is_pdf), (PNG, _is_png), (JPEG, _is_jpeg), (XLSX, _is_xlsx), (CSV, _is_csv),
)  # fmt: skip


def check_piece(content: bytes, announced: str, limit: int) -> tuple[Kind | None, list[Problem]]:
    """`announced` is the media type that came with it, or nothing."""
    if not content:
        return None, [Problem("PIECE-EMPTY", "/", "the file is empty", "at least a byte")]
    if len(content) > limit:
        message = f"{len(content)} bytes"
        return None, [Problem("PIECE-SIZE", "/", message, f"at most {limit} bytes")]
    kind = kind_of(content)
    if kind is None:
        expected = "PDF, CSV (UTF-8), XLSX without macros, PNG or JPEG, whole"
        return None, [Problem("PIECE-KIND", "/", "the content is none of these", expected)]
    problems = []
    said = announced.partition(";")[0].strip().lower()
    said = _ALIASES.get(said, said)
    if said not in _SAYS_NOTHING and said != kind.media_type:
        problems.append(
            Problem(
                "PIECE-TYPE", "/", "announced as another type than its content is", kind.media_type
            )
        )
    if kind is CSV and holds_number_of_person(content.decode("utf-8-sig")):
        problems.append(
            Problem(
                "PIECE-NIR", "/", "holds what reads like the number of a person",
                "identifiers of the software's own", source="mes.md §C",
            )
        )  # fmt: skip
    return kind, problems


def label_of(given: str, kind: Kind) -> str:
    """A name to give a file back under: the last part of what the client said, without what no file
    system or header takes, and with the extension of what it is."""
    last = unicodedata.normalize("NFC", given).replace("\\", "/").rpartition("/")[2]
    kept = "".join(
        letter if letter.isalnum() or letter in " .-_()" else "_" for letter in last
    ).strip(" .")
    stem, dot, extension = kept.rpartition(".")
    if not dot or extension.lower() not in {kind.extension, "jpeg"}:
        stem = kept
    stem = stem.encode("utf-8", "ignore").decode()[:MAX_NAME].strip(" .")
    return f"{stem or 'piece'}.{kind.extension}"


def disposition(name: str) -> str:
    """A Content-Disposition that saves and never shows (RFC 6266), for a name by `label_of`."""
    plain = "".join(letter if letter.isascii() else "_" for letter in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
