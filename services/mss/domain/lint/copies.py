"""PDF copies of the documents (ECO.2.1.5, ECO.2.1.6; spec: mss.md §4.1)."""

import re
from collections.abc import Iterator
from typing import Final

from services.mss.domain.lint.mail import Attached, Document, Mail
from services.mss.domain.lint.rules import Finding, Rule, rule
from services.mss.domain.naming import act_day, file_part
from socle.cda.model import PersonName
from socle.ids.traits import transliterate

_PART: Final = re.compile(rb"pdfaid:part\s*(?:=\s*[\"']|>)\s*(\d)")
_NAME: Final = re.compile(r"(\d{8})_(.+)\.pdf", re.IGNORECASE)
_FORM: Final = "<date de l'acte AAAAMMJJ>_<type document>_<NOM>_<prenom>[_<numéro de dossier>].pdf"


def _pdfs(mail: Mail) -> list[Attached]:
    return [it for it in mail.attached if it.content.startswith(b"%PDF") or _is_named_pdf(it)]


def _is_named_pdf(one: Attached) -> bool:
    return one.part.content_type == ("application", "pdf") or one.name.lower().endswith(".pdf")


@rule("MSS-PDF", "each CDA document has a copy as PDF/A-1", eco="ECO.2.1.5")
def pdf(mail: Mail) -> Iterator[Finding] | None:
    return _pdf(mail) if mail.cda else None


def _pdf(mail: Mail) -> Iterator[Finding]:
    pdfs = _pdfs(mail)
    if len(pdfs) < len(mail.cda):
        yield Finding("body", f"{len(pdfs)} PDF copies for {len(mail.cda)} documents", "one each")
    for one in pdfs:
        if one.problem or not one.content.startswith(b"%PDF-"):
            yield Finding(one.path, one.problem or "it is no PDF", "a PDF/A-1")
            continue
        # The metadata of a PDF/A-1 are neither compressed nor encrypted (ISO 19005-1 §6.7.2).
        declared = _PART.search(one.content)
        if declared is None:
            yield Finding(one.path, "it does not declare PDF/A (pdfaid:part)", "PDF/A-1")
        elif declared[1] != b"1":
            yield Finding(one.path, f"it is a PDF/A-{declared[1].decode()}", "PDF/A-1")
        if re.search(rb"/Encrypt[\s/<\d]", one.content[-4096:]):
            yield Finding(one.path, "it is encrypted", "a PDF/A-1, which never is")


@rule("MSS-PDF-NAME", "PDF copies are named after act, type and patient", eco="ECO.2.1.6")
def pdf_name(mail: Mail) -> Iterator[Finding] | None:
    pdfs = _pdfs(mail)
    return _names(mail, pdfs) if mail.cda and pdfs else None


def _names(mail: Mail, pdfs: list[Attached]) -> Iterator[Finding]:
    stems = [stem for document in mail.documents for stem in _stems(document)]
    days = {act_day(it.metadata) for it in mail.documents if it.metadata}
    for one in pdfs:
        found = _NAME.fullmatch(one.name)
        if found is None:
            yield Finding(f"{one.path}/name", "it is not in the form", _FORM)
            continue
        if found[1] not in days:
            yield Finding(f"{one.path}/name", "its date is that of no act inside",
                          " or ".join(sorted(days)), "warning")  # fmt: skip
        stem = file_part(found[2]).upper()
        if not any(stem == it or stem.startswith(f"{it}_") for it in stems):
            yield Finding(f"{one.path}/name", "type or names are not those of a document inside", _FORM,
                          "warning")  # fmt: skip


def _stems(document: Document) -> Iterator[str]:
    """`TYPE_NOM_PRENOM` by each name that the patient has, and each label of the type."""
    header, metadata = document.header, document.metadata
    if header is None or metadata is None or header.patient is None:
        return
    name = header.patient.name or PersonName()
    labels = {metadata.type_code.display, header.code.display if header.code else ""}
    for label in labels - {""}:
        for family in {name.family, name.birth_family, name.used_family} - {""}:
            for given in {name.given, name.birth_given} - {""}:
                parts = (label, transliterate(family), given)
                yield "_".join(map(file_part, parts)).upper()


RULES: tuple[Rule, ...] = (pdf, pdf_name)
