"""Takes an archive apart: its documents with what METADATA.XML says of each, and all that is wrong.

Whether they agree with the CDA headers and with the mail is the caller's concern.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from lxml import etree

from socle.problems import Problem, Severity
from socle.soap.parsing import UnreadableXmlError, parse_xml
from socle.xdm.archive import SOURCE, OpenArchive, open_archive
from socle.xdm.layout import (
    ACTION_SLOT,
    INDEX,
    MAX_METADATA_BYTES,
    MAX_SUBSETS,
    METADATA,
    README,
    ROOT,
)
from socle.xds.document_entry import DocumentEntry
from socle.xds.ebrim import RegistryObject, RegistryObjects, Slots, read_objects
from socle.xds.entry import read_entry
from socle.xds.names import LCM, RIM
from socle.xds.sets import read_set
from socle.xds.submission_set import SubmissionSet

_ZIP_HEADS: Final = (b"PK\x03\x04", b"PK\x05\x06", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b")


@dataclass(frozen=True, slots=True)
class PackedDocument:
    """`path` names it in problems; `action` is what the extra metadata say, as written."""

    path: str
    entry: DocumentEntry
    action: str
    content: bytes = field(repr=False)


@dataclass(slots=True)
class Package:
    documents: list[PackedDocument] = field(default_factory=list)
    sets: list[SubmissionSet] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def problem(
        self, rule: str, path: str, message: str, expected: str, severity: Severity = "error"
    ) -> None:
        self.problems.append(Problem(rule, path, message, expected, severity, SOURCE))


def take_apart(content: bytes) -> Package:
    """Never raises for what the archive holds, and never unpacks more than the bounds of layout.py."""
    package = Package()
    opened = open_archive(content)
    package.problems = opened.problems
    if not opened.files:
        if not package.problems:
            package.problem(
                "XDM-ZIP-EMPTY", "/", "it holds no file", "documents and their metadata"
            )
        return package
    for name in (INDEX, README):
        if name not in opened.files:
            package.problem("XDM-LAYOUT", f"/{name}", "it is missing", f"{name} at the root")
        else:
            opened.read(name)  # a damaged one is named, as no tool would unpack the archive whole
    described: set[str] = {INDEX, README}
    subsets = sorted(path for path in opened.files if _is_metadata(path))
    buried = next((it for it in sorted(opened.files) if f"/{ROOT}/" in it), None)
    if not subsets and buried:
        package.problem(
            "XDM-LAYOUT", opened.shown[buried], f"{ROOT} lies inside another folder",
            f"{ROOT} at the root: pack what is in the folder, not the folder",
        )  # fmt: skip
    elif not subsets:
        package.problem(
            "XDM-METADATA-MISSING", f"/{ROOT}/SUBSET01/{METADATA}", "no folder has its metadata",
            f"{ROOT}/SUBSET01/{METADATA}",
        )  # fmt: skip
    if len(subsets) > MAX_SUBSETS:
        package.problem("XDM-SUBSETS", f"/{ROOT}", f"{len(subsets)} sets", f"at most {MAX_SUBSETS}")
    for path in subsets[:MAX_SUBSETS]:
        described.add(path)
        described.update(_read_subset(package, opened, path))
    for path in opened.files.keys() - described:
        if path.startswith(f"{ROOT}/") and subsets:
            package.problem(
                "XDM-DOCUMENT-UNDESCRIBED", opened.shown[path], "no metadata describe this file",
                "an ExtrinsicObject whose URI is its name", "warning",
            )  # fmt: skip
    return package


def _is_metadata(path: str) -> bool:
    parts = path.split("/")
    return len(parts) == 3 and parts[0] == ROOT and parts[2] == METADATA


def _read_subset(package: Package, opened: OpenArchive, metadata: str) -> set[str]:
    """Reads one folder; gives the paths of the files that its metadata describe."""
    objects = _objects(package, opened, metadata)
    if objects is None:
        return set()
    shown = opened.shown[metadata]
    found = read_set(objects)
    package.problems += (_within(shown, problem) for problem in found.problems)
    if found.submission_set is not None:
        package.sets.append(found.submission_set)
    if not objects.documents:
        package.problem(
            "XDM-DOCUMENT-MISSING", f"{shown}/ExtrinsicObject", "no document is described", "one"
        )
    of_set: Slots = found.package.slots if found.package else {}
    read: set[str] = set()
    for number, described in enumerate(objects.documents, start=1):
        where = f"{shown}/ExtrinsicObject[{number}]"
        path = _file_of(package, opened, metadata, described, where)
        if path is None:
            continue
        if path in read:
            package.problem("XDM-URI", f"{where}/URI", "two objects describe this file", "one each")
            continue
        read.add(path)
        content = opened.read(path)
        if content is not None:
            document = PackedDocument(
                opened.shown[path], read_entry(described), _action(described, of_set), content
            )
            _check_bytes(package, document, described, where)
            package.documents.append(document)
    return read


def _objects(package: Package, opened: OpenArchive, path: str) -> RegistryObjects | None:
    content = opened.read(path, MAX_METADATA_BYTES)
    if content is None:
        return None
    try:
        root = parse_xml(content, "XDM-METADATA")
    except UnreadableXmlError as error:
        package.problems.append(_within(opened.shown[path], error.problem))
        return None
    parent = root.find(f"{{{RIM}}}RegistryObjectList")
    if root.tag != f"{{{LCM}}}SubmitObjectsRequest" or parent is None:
        name = etree.QName(root)
        package.problem(
            "XDM-METADATA-ROOT", opened.shown[path], f"the root is {name.localname[:60]} of {str(name.namespace)[:80]}",
            f"SubmitObjectsRequest of {LCM} with its rim:RegistryObjectList",
        )  # fmt: skip
        return None
    return read_objects(parent)


def _file_of(
    package: Package,
    opened: OpenArchive,
    metadata: str,
    described: RegistryObject,
    where: str,
) -> str | None:
    """By the slot URI, relative to the folder of the metadata; one below IHE_XDM is seen too."""
    uri = described.slot("URI")
    if not uri:
        package.problem(
            "XDM-URI", f"{where}/URI", "it is missing", "the name of the file in this folder"
        )
        return None
    written = uri.replace("\\", "/").upper()
    # It is a URI: octets may be encoded, and a path may begin with a dot or at the root.
    name = unquote(written).removeprefix("./").removeprefix("/")
    folder = metadata.rpartition("/")[0]
    for path in (f"{folder}/{name}", f"{ROOT}/{name}", name):
        if path in opened.files:
            if path != f"{folder}/{written}":
                package.problem(
                    "XDM-URI", f"{where}/URI", "it is not the name of a file in the folder of the metadata",
                    "the name of the file alone", "warning",
                )  # fmt: skip
            return path
    package.problem(
        "XDM-DOCUMENT-MISSING", f"{where}/URI", "the archive has no file of this name, or none that "
        "may be read", "a file of the folder",
    )  # fmt: skip
    return None


def _action(described: RegistryObject, of_set: Slots) -> str:
    """On the document, else on its set; a name in the form of a URN counts too."""
    for slots in (described.slots, of_set):
        for name, values in slots.items():
            if name == ACTION_SLOT or name.endswith(f":{ACTION_SLOT}"):
                return next(iter(values), "")
    return ""


def _check_bytes(
    package: Package, document: PackedDocument, described: RegistryObject, where: str
) -> None:
    content, entry = document.content, document.entry
    actual = hashlib.sha1(content, usedforsecurity=False).hexdigest()  # XDS fixes SHA-1
    if "size" not in described.slots:
        package.problem("XDM-DOCUMENT-SIZE", f"{where}/size", "it is missing", str(len(content)))
    elif entry.size != len(content):
        package.problem(
            "XDM-DOCUMENT-SIZE", f"{where}/size", f"{entry.size} is declared, the file has "
            f"{len(content)} bytes", str(len(content)),
        )  # fmt: skip
    if entry.hash != actual:
        message = "it is not that of the file" if entry.hash else "it is missing"
        package.problem("XDM-DOCUMENT-HASH", f"{where}/hash", message, f"{actual} (SHA-1)")
    if content.startswith(_ZIP_HEADS):
        package.problem(
            "XDM-NESTED",
            document.path,
            "it is an archive itself; it is not opened",
            "a CDA document",
        )


def _within(path: str, problem: Problem) -> Problem:
    return Problem(
        problem.rule, f"{path}/{problem.path.lstrip('/')}", problem.message, problem.expected,
        problem.severity, problem.source,
    )  # fmt: skip
