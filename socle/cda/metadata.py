"""From a CDA document to its XDS metadata: the one builder that DMP and MSS share.

Source: spec: DMP §1.4 (mapping of the HL7v2 volet "transmission d'un document CDA R2"), IHE XDS.
The uniqueId is the same in DMP and MSS: consumers find the copies of a document by it.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from socle.cda.hl7v2 import extension, source_patient_id, source_patient_info, xcn, xon
from socle.cda.model import CdaHeader, Code, Entity, Id
from socle.cda.rules import check_header
from socle.cda.rules.context import main_event_of, practice_setting_of
from socle.cda.valuesets import (
    class_of,
    display_of,
    fallback_format,
    formats_by_media_type,
    formats_by_template,
)
from socle.cda.xml import MalformedCdaError
from socle.ids import oids
from socle.ids.hl7_datetime import Hl7DateTime, parse_ts
from socle.ids.ins import INS_OIDS, Ins
from socle.ids.professionals import ProfessionalId, parse_idnat
from socle.ids.structures import StructureId, parse_struct_idnat

MIME_TYPE: Final = "text/xml"


@dataclass(frozen=True, slots=True)
class AuthorMetadata:
    """`person` is an XCN and `institution` an XON, as XDS writes them."""

    professional: ProfessionalId | None
    structure: StructureId | None
    role: Code | None
    person: str = field(repr=False)
    institution: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DocumentMetadata:
    unique_id: str
    set_id: str
    version_number: int
    type_code: Code
    class_code: Code | None
    format_code: Code
    level: Literal["N1", "N3"]
    title: str = field(repr=False)
    patient: Ins | None
    source_patient_id: str = field(repr=False)
    source_patient_info: tuple[str, ...] = field(repr=False)
    authors: tuple[AuthorMetadata, ...]
    legal_authenticator: str = field(repr=False)
    practice_setting: Code | None
    facility_type: Code | None
    event_codes: tuple[Code, ...]
    reference_ids: tuple[Id, ...]
    replaces: Id | None
    creation_time: datetime
    service_start: Hl7DateTime | None
    service_stop: Hl7DateTime | None
    language: str
    confidentiality: str
    size: int
    sha256: str
    sha1: str
    mime_type: str = MIME_TYPE
    encounter_ids: tuple[Id, ...] = ()
    """Of the stay or the consultation that the document is of, in its author's numbering."""

    @property
    def author(self) -> AuthorMetadata | None:
        return self.authors[0] if self.authors else None


def metadata_of(header: CdaHeader, body: bytes) -> DocumentMetadata:
    """Raises MalformedCdaError when what no document can do without is missing or unreadable.

    Other errors of the header leave their field empty: refusing is the caller's choice, made on
    `check_header`.
    """
    if not _describable(header):
        raise MalformedCdaError([it for it in check_header(header) if it.severity == "error"])
    event = main_event_of(header)
    replaced = next((it for it in header.related_documents if it.type_code == "RPLC"), None)
    type_code = _displayed(header.code or Code(), display_of("document_types", _code_of(header)))
    document_class = class_of(type_code.code)
    return DocumentMetadata(
        unique_id=_oid_of(header.id),
        set_id=_oid_of(header.set_id),
        version_number=_version_of(header),
        type_code=type_code,
        class_code=document_class.as_code if document_class else None,
        format_code=format_of(header),
        level="N1" if header.body.kind == "N1" else "N3",
        title=header.title,
        patient=patient_ins(header),
        source_patient_id=source_patient_id(header.patient),
        source_patient_info=source_patient_info(header.patient),
        authors=tuple(_author(it.entity) for it in header.authors),
        legal_authenticator=(
            xcn(header.legal_authenticator.entity) if header.legal_authenticator else ""
        ),
        practice_setting=practice_setting_of(header),
        facility_type=header.encounter.facility if header.encounter else None,
        event_codes=tuple(it.code for it in header.service_events if it.code and it.code.code),
        reference_ids=header.orders,
        replaces=replaced.ids[0] if replaced and replaced.ids else None,
        creation_time=parse_ts(header.effective_time).utc,
        service_start=_stamp(event.time.low) if event and event.time else None,
        service_stop=_stamp(event.time.high) if event and event.time else None,
        language=header.language,
        confidentiality=header.confidentiality.code if header.confidentiality else "",
        size=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
        # XDS fixes SHA-1 for the hash of a document; nothing is protected by it here.
        sha1=hashlib.sha1(body, usedforsecurity=False).hexdigest(),
        encounter_ids=header.encounter.ids if header.encounter else (),
    )


def patient_ins(header: CdaHeader, *, despite_key: bool = False) -> Ins | None:
    """The first well-formed INS of the document; a wrong key gives none, unless it is forgiven."""
    read = Ins.despite_key if despite_key else _checked
    for it in header.patient.ids if header.patient else ():
        if it.root in INS_OIDS and (ins := read(it.root, it.extension)):
            return ins
    return None


def _checked(oid: str, value: str) -> Ins | None:
    return Ins.check(oid, value)[0]


def format_of(header: CdaHeader) -> Code:
    """By the encapsulated file for level 1, by the most specific known template for level 3."""
    if header.body.kind == "N1":
        concept = formats_by_media_type().get(header.body.media_type)
    else:
        known = formats_by_template()
        concept = next((known[it.root] for it in header.template_ids if it.root in known), None)
    return (concept or fallback_format()).as_code


def _describable(header: CdaHeader) -> bool:
    """True when what every registry entry needs is there and readable."""
    return bool(
        header.id
        and header.id.root
        and header.code
        and header.code.code
        and header.body.kind
        and _stamp(header.effective_time)
    )


def _code_of(header: CdaHeader) -> str:
    return header.code.code if header.code else ""


def _displayed(code: Code, display: str) -> Code:
    """The official label where it is known, else the document's own."""
    return Code(code.code, code.system, display or code.display)


def _oid_of(found: Id | None) -> str:
    """XDS accepts root^extension; the DMP wants the root alone, which a warning says."""
    if found is None:
        return ""
    return f"{found.root}^{found.extension}" if found.extension else found.root


def _version_of(header: CdaHeader) -> int:
    number = header.version_number
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 1


def _stamp(text: str) -> Hl7DateTime | None:
    try:
        return parse_ts(text)
    except ValueError:
        return None


def _author(entity: Entity) -> AuthorMetadata:
    structure_id = extension(entity.organization.ids if entity.organization else ())
    return AuthorMetadata(
        professional=parse_idnat(extension(entity.ids, oids.IDNAT_PS)),
        structure=parse_struct_idnat(structure_id),
        role=entity.code if entity.code and entity.code.code else None,
        person=xcn(entity),
        institution=xon(entity.organization.name if entity.organization else "", structure_id),
    )
