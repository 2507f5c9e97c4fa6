"""Opens a zip of a stranger: bounded before anything is unpacked, every oddity named.

`zipfile` reads the whole list of files at once and trusts what the archive says of its sizes;
therefore the end record is looked at first, and files are unpacked piece by piece up to the bounds.
"""

import re
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from io import BytesIO
from typing import Final

from socle.problems import Problem, Severity
from socle.xdm.layout import MAX_ENTRIES, MAX_UNPACKED_BYTES

SOURCE: Final = "IHE ITI TF-2 §3.32.4.1; PKWARE APPNOTE 6.3"
_END: Final = b"PK\x05\x06"
_ZIP64_LOCATOR: Final = b"PK\x06\x07"
_LOCATOR_BYTES: Final = 20
_END_RECORD: Final = struct.Struct("<4s4H2LH")
_MAX_COMMENT: Final = 0xFFFF
_LISTED_BYTES: Final = (
    46 + 255 + 512
)  # of an entry in the list: its name is a path of ours, not a text
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_CHUNK: Final = 1 << 16
_DRIVE: Final = re.compile(r"^[A-Za-z]:")
_DOTS: Final = re.compile(r"^(?:\./)+")
_ENCRYPTED: Final = 0x1
_OTHERS: Final = {
    b"7z\xbc\xaf": "a 7-Zip archive", b"Rar!": "a RAR archive", b"\x1f\x8b": "gzip",
    b"UEsDB": "a zip that was encoded in base64 twice", b"PK\x03\x04": "a zip that was cut short",
}  # fmt: skip
"""What stands where a zip archive should, by its first octets."""
_HARMLESS: Final = re.compile(
    r"IHE_XDM|S(?:UBSET|S)[0-9]+|INDEX\.HTM|README\.TXT|METADATA\.XML|DOC[A-Z]*[0-9]*\.[A-Z]{3}",
    re.IGNORECASE,
)


@dataclass(slots=True)
class OpenArchive:
    """The files that may be read, by their path in upper case; `problems` names the others.

    `shown` has the same keys: what a problem calls the file.
    """

    files: dict[str, zipfile.ZipInfo] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _zip: zipfile.ZipFile | None = field(default=None, repr=False)
    _left: int = MAX_UNPACKED_BYTES

    def problem(
        self, rule: str, path: str, message: str, expected: str, severity: Severity = "error"
    ) -> None:
        self.problems.append(Problem(rule, path, message, expected, severity, SOURCE))

    def read(self, path: str, limit: int = MAX_UNPACKED_BYTES) -> bytes | None:
        """The content, or None with a problem: it is damaged, or larger than what is left."""
        info, shown = self.files[path], self.shown[path]
        assert self._zip is not None
        bound = min(limit, self._left)
        unpacked = bytearray()
        try:
            with self._zip.open(info) as packed:
                while chunk := packed.read(min(_CHUNK, bound - len(unpacked) + 1)):
                    unpacked += chunk
                    if len(unpacked) > bound:
                        self._left = 0
                        self.problem(
                            "XDM-ZIP-TOO-LARGE", shown, f"it unpacks to more than {bound} bytes",
                            f"{MAX_UNPACKED_BYTES} bytes at most in all files together",
                        )  # fmt: skip
                        return None
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            RuntimeError,
            NotImplementedError,
            ValueError,
        ):
            # What damaged data makes zipfile raise; its texts quote file names.
            self.problem(
                "XDM-ZIP-DAMAGED", shown, "its data are damaged or cut short", "a whole file"
            )
            return None
        self._left -= len(unpacked)
        return bytes(unpacked)


def open_archive(content: bytes) -> OpenArchive:
    opened = OpenArchive()
    if not _is_bounded(opened, content):
        return opened
    try:
        opened._zip = zipfile.ZipFile(BytesIO(content))
        listed = opened._zip.infolist()
    except (
        zipfile.BadZipFile,
        OSError,
        ValueError,
        NotImplementedError,
        RuntimeError,
        struct.error,
    ):
        opened.problem(
            "XDM-ZIP-UNREADABLE", "/", "its list of files cannot be read", "a whole zip archive"
        )
        return opened
    if len(listed) > MAX_ENTRIES:
        _too_many(opened, len(listed))
        return opened
    for number, info in enumerate(listed, start=1):
        _admit(opened, number, info)
    return opened


def _is_bounded(opened: OpenArchive, content: bytes) -> bool:
    """Whether the end record exists and promises a list that is no attack by itself."""
    start = content.rfind(_END, max(0, len(content) - _END_RECORD.size - _MAX_COMMENT))
    if start < 0 or start + _END_RECORD.size > len(content):
        known = (name for head, name in _OTHERS.items() if content.startswith(head))
        opened.problem(
            "XDM-ZIP-UNREADABLE", "/", f"it is {next(known, 'no zip archive')}",
            "a whole zip archive, base64 in the mail",
        )  # fmt: skip
        return False
    _, disk, first_disk, here, entries, size, _, _ = _END_RECORD.unpack_from(content, start)
    if content[max(0, start - _LOCATOR_BYTES) : start].startswith(_ZIP64_LOCATOR):
        opened.problem("XDM-ZIP-ZIP64", "/", "it is a zip64", "a plain zip: no file needs more")
        return False
    if disk or first_disk or here != entries:
        opened.problem("XDM-ZIP-SPLIT", "/", "it is a part of a split archive", "one archive")
        return False
    if entries > MAX_ENTRIES or size > MAX_ENTRIES * _LISTED_BYTES:
        _too_many(opened, entries)
        return False
    return True


def _too_many(opened: OpenArchive, entries: int) -> None:
    opened.problem(
        "XDM-ZIP-ENTRIES", "/", f"it lists {entries} files, or very long names",
        f"{MAX_ENTRIES} files at most",
    )  # fmt: skip


def _admit(opened: OpenArchive, number: int, info: zipfile.ZipInfo) -> None:
    shown = shown_path(info.filename, number)
    if info.is_dir():
        return
    path = info.orig_filename.split("\0")[0]
    if "\\" in path:
        opened.problem(
            "XDM-ZIP-BACKSLASH", shown, "its path is written with backslashes",
            "slashes (APPNOTE §4.4.17.1)", "warning",
        )  # fmt: skip
        path = path.replace("\\", "/")
        if path.endswith("/"):  # a folder, which zipfile does not know for one
            return
    if path.startswith("./"):  # as bsdtar and Ant pack the folder that they stand in
        opened.problem(
            "XDM-ZIP-DOT", shown, "its path begins with ./", "a path from the root", "warning"
        )
        path = _DOTS.sub("", path)
    if path.startswith("/") or _DRIVE.match(path) or {"..", "."} & set(path.split("/")):
        opened.problem(
            "XDM-ZIP-PATH", shown, "its path leaves the archive", "a relative path without .."
        )
        return
    if info.flag_bits & _ENCRYPTED:
        opened.problem(
            "XDM-ZIP-ENCRYPTED", shown, "it is encrypted", "a file that everybody can read"
        )
        return
    if info.compress_type not in _METHODS:
        opened.problem(
            "XDM-ZIP-METHOD", shown, f"compression method {info.compress_type}", "deflate, or none"
        )
        return
    key = path.upper()
    if key in opened.files:
        opened.problem(
            "XDM-ZIP-DUPLICATE", shown, "another file has this name: readers will not agree on which",
            "one file of each name",
        )  # fmt: skip
        return
    if path != key:
        opened.problem(
            "XDM-NAME-CASE", shown, "its name is not in upper case",
            "the same name in upper case", "warning",
        )  # fmt: skip
    opened.files[key] = info
    opened.shown[key] = shown


def shown_path(name: str, number: int) -> str:
    """A path in a problem's text: parts that ITI-32 fixes; any other may be somebody's name."""
    parts = name.replace("\\", "/").split("/")
    return "/".join(part if _HARMLESS.fullmatch(part) else f"file[{number}]" for part in parts[-4:])
