"""IHE_XDM.ZIP against the mail and the documents inside (ECO.2.1.1, ECO.2.1.2, LGC.MSS/UX.05)."""

import re
from collections.abc import Iterator
from typing import Final

from services.mss.domain.lint.mail import Attached, Document, Mail
from services.mss.domain.lint.reading import encoding_of
from services.mss.domain.lint.rules import Finding, Rule, of_problems, rule
from socle.cda.metadata import DocumentMetadata, patient_ins
from socle.cda.model import CdaHeader
from socle.ids.ins import Ins
from socle.xdm.layout import ARCHIVE

_MAX_OF_ONE_DOCUMENT: Final = 20
_ZIP_TYPES: Final = ("application/zip", "application/x-zip-compressed", "application/octet-stream")
_CDA: Final = b"ClinicalDocument"
_IN_ARCHIVE: Final = re.compile(rb"IHE_XDM[/\\]", re.IGNORECASE)
_TNEF: Final = b"\x78\x9f\x3e\x22"
"""The signature of TNEF, [MS-OXTNEF] §2.1.3.1, as it lies in the file."""
_ITI: Final = "IHE ITI TF-2 §3.32; Référentiel #2 v1.0.1 as quoted"


def _place(document: Document) -> str:
    return f"{ARCHIVE}/{document.packed.path}"


@rule("MSS-XDM", "documents travel in one IHE_XDM.ZIP that can be read",
      eco="ECO.2.1.1", segur="MSS/va1.01", source=_ITI)  # fmt: skip
def xdm(mail: Mail) -> Iterator[Finding] | None:
    bare = [one for one in mail.attached if _is_bare_document(one)]
    zips = [one for one in mail.attached if _is_other_zip(mail, one)]
    sealed = [one for one in mail.attached if _is_sealed(one)]
    if not (mail.archives or bare or zips or sealed):
        return None
    return _xdm(mail, bare, zips, sealed)


def _is_bare_document(one: Attached) -> bool:
    return one.part.content_type[1].endswith("xml") and _CDA in one.content[:65_536]


def _is_other_zip(mail: Mail, one: Attached) -> bool:
    """An archive of documents under another name: no router of a receiver knows it."""
    return one not in mail.archives and _IN_ARCHIVE.search(one.content, 0, 4096) is not None


def _is_sealed(one: Attached) -> bool:
    """What Outlook and Exchange make of attachments when they send "rich text"."""
    return one.content.startswith(_TNEF) or one.name.lower() == "winmail.dat"


def _xdm(
    mail: Mail, bare: list[Attached], zips: list[Attached], sealed: list[Attached]
) -> Iterator[Finding]:
    for one in sealed:
        yield Finding(one.path, "attachments are sealed in winmail.dat (TNEF), which others do not open",
                      "attachments as parts of the mail", "warning")  # fmt: skip
    for one in bare:
        yield Finding(one.path, "a CDA document is attached outside an archive", ARCHIVE)
    for one in zips:
        yield Finding(one.path, "an XDM archive has another name", ARCHIVE)
    if len(mail.archives) > 1:
        yield Finding("body", f"{len(mail.archives)} archives {ARCHIVE}", "one, with all documents")
    for one in mail.archives:
        if one.problem:
            yield Finding(one.path, one.problem, "base64, whole")
        if encoding_of(one.part) != "base64":
            yield Finding(
                one.path, "it is not encoded in base64", "Content-Transfer-Encoding: base64"
            )
        kind = "/".join(one.part.content_type)
        if kind not in _ZIP_TYPES:
            yield Finding(one.path, f"its type is {kind[:60]}", "application/zip", "warning")
        elif kind != "application/zip":
            yield Finding(one.path, f"its type is {kind}", "application/zip", "warning")
    for package in mail.packages:
        yield from of_problems(package.problems, ARCHIVE)


@rule("MSS-CDA", "each document in the archive is a CDA R2 that its metadata describe",
      eco="ECO.2.1.1", source=_ITI)  # fmt: skip
def cda(mail: Mail) -> Iterator[Finding] | None:
    return _cda(mail) if mail.documents else None


def _cda(mail: Mail) -> Iterator[Finding]:
    for document in mail.documents:
        place = _place(document)
        yield from of_problems(document.problems[:_MAX_OF_ONE_DOCUMENT], place)
        if document.is_pdf:
            yield Finding(
                place, "it is a PDF", "a CDA document: level 1 encapsulates it", "warning"
            )
        if document.metadata is not None:
            yield from _disagreements(document, document.metadata, place)


def _disagreements(document: Document, metadata: DocumentMetadata, place: str) -> Iterator[Finding]:
    entry = document.packed.entry
    for name, given, expected in (
        ("uniqueId", entry.unique_id, metadata.unique_id),
        ("typeCode", entry.type_code.code, metadata.type_code.code),
        ("formatCode", entry.format_code.code, metadata.format_code.code),
    ):
        if given != expected:
            severity = "warning" if name == "formatCode" else "error"
            yield Finding(f"{place}/{name}", "METADATA.XML says another than the CDA header", expected[:200],
                          severity)  # type: ignore[arg-type]  # fmt: skip


@rule("MSS-PATIENT-ID", "the mail is about one patient, named by patientId of METADATA.XML",
      eco="ECO.2.1.2", source=_ITI)  # fmt: skip
def patient_id(mail: Mail) -> Iterator[Finding] | None:
    return _patient_id(mail) if mail.documents else None


def _patient_id(mail: Mail) -> Iterator[Finding]:
    patients: set[Ins] = set()
    for document in mail.documents:
        path = f"{_place(document)}/patientId"
        named = Ins.from_cx(document.packed.entry.patient_id)
        if named is None:
            yield Finding(path, "it is no INS", "matricule and key^^^&OID&ISO^NH")
            continue
        patients.add(named)
        inside = patient_ins(document.header) if document.header else None
        if inside is not None and inside != named:
            yield Finding(path, "it is not the patient of the CDA", "the INS of recordTarget")
    if len(patients) > 1:
        yield Finding(
            ARCHIVE, f"the documents are about {len(patients)} patients", "one user a mail"
        )
    for package in mail.packages:
        for one in package.sets:
            named = Ins.from_cx(one.patient_id)
            if patients and named not in patients:
                yield Finding(f"{ARCHIVE}/RegistryPackage/patientId", "it is not that of the documents",
                              "the same patientId")  # fmt: skip


@rule("MSS-ACTION", "replacement and deletion are told by `action` and by the CDA",
      segur="LGC.MSS/UX.05",
      source="Volet transmission CDA R2 v2.1.2, exemples", confidence="primary")  # fmt: skip
def action(mail: Mail) -> Iterator[Finding] | None:
    replaces = [it for it in mail.documents if it.header and _replaces(it.header)]
    said = [it for it in mail.documents if it.packed.action]
    return _action(mail) if replaces or said else None


def _replaces(header: CdaHeader) -> bool:
    return any(it.type_code == "RPLC" for it in header.related_documents)


def _action(mail: Mail) -> Iterator[Finding]:
    for document in mail.documents:
        path, said = f"{_place(document)}/action", document.packed.action
        replaces = document.header is not None and _replaces(document.header)
        if said not in ("", "C", "D"):
            yield Finding(path, "its value is another", "C (replaces) or D (to be deleted)")
        elif said == "C" and document.header and not replaces:
            yield Finding(path, "it says C, and the CDA names no document that it replaces",
                          "relatedDocument typeCode=\"RPLC\" with the id of the parent")  # fmt: skip
        elif not said and replaces:
            yield Finding(path, "it is missing, and the CDA replaces a document",
                          "C in METADATA.XML", "warning")  # fmt: skip


RULES: tuple[Rule, ...] = (xdm, cda, patient_id, action)
