"""The metadata of a document whose header says too little: those of its sender, where it is lenient.

Two of the deposits that the ANS publishes with its FHIR guide hold a ClinicalDocument without any
content (spec: dmp.md §3.6).
"""

import hashlib
from typing import Final

from socle.cda.metadata import AuthorMetadata, DocumentMetadata
from socle.cda.model import Code
from socle.ids.hl7_datetime import Hl7DateTime, parse_ts
from socle.ids.ins import Ins
from socle.ids.professionals import parse_idnat
from socle.ids.structures import parse_struct_idnat
from socle.xds.document_entry import Author, Coded, DocumentEntry

_DAY: Final = 8  # digits of a stamp


def metadata_of_entry(entry: DocumentEntry, content: bytes) -> DocumentMetadata | None:
    """None where the entry does not say enough either.

    The level is N1: nobody is paid for a structured document that has no structure.
    """
    created = _time(entry.creation_time)
    if not (entry.unique_id and entry.type_code.code and created):
        return None
    return DocumentMetadata(
        unique_id=entry.unique_id,
        set_id="",
        version_number=1,
        type_code=_code(entry.type_code),
        class_code=_code(entry.class_code) if entry.class_code.code else None,
        format_code=_code(entry.format_code),
        level="N1",
        title=entry.title,
        patient=Ins.from_cx(entry.patient_id, despite_key=True),
        source_patient_id=entry.source_patient_id,
        source_patient_info=entry.source_patient_info,
        authors=tuple(map(_author, entry.authors)),
        legal_authenticator=entry.legal_authenticator,
        practice_setting=_code(entry.practice_setting),
        facility_type=_code(entry.facility_type),
        event_codes=tuple(map(_code, entry.event_codes)),
        reference_ids=(),
        replaces=None,
        creation_time=created.utc,
        service_start=_time(entry.service_start),
        service_stop=_time(entry.service_stop),
        language=entry.language,
        confidentiality="N",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        sha1=hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        mime_type=entry.mime_type or "text/xml",
    )


def _code(code: Coded) -> Code:
    return Code(code.code, code.system, code.display)


def _author(author: Author) -> AuthorMetadata:
    institution = next(iter(author.institutions), "")
    return AuthorMetadata(
        parse_idnat(author.person.partition("^")[0]),
        parse_struct_idnat(institution.rpartition("^")[2]),
        None,
        author.person,
        institution,
    )


def _time(text: str) -> Hl7DateTime | None:
    """Stamps of XDS are in UTC (spec: EX_3.1-1070); a day has no zone."""
    try:
        return parse_ts(text if len(text) <= _DAY else f"{text}+0000")
    except ValueError:
        return None
