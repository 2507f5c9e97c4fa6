"""An archive from CDA documents: the metadata are those that the DMP takes (socle/xds)."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Final
from uuid import UUID, uuid5

from lxml import etree

from socle.cda.header import read_header
from socle.cda.metadata import DocumentMetadata, metadata_of
from socle.cda.model import CdaHeader
from socle.cda.xml import MalformedCdaError
from socle.idgen import oid_from_uuid
from socle.ids.ins import Ins
from socle.problems import Problem
from socle.xdm.layout import ACTION_SLOT, INDEX, METADATA, README, SUBSET, Action
from socle.xdm.pages import index_page, readme
from socle.xds.document_entry import Coded, DocumentEntry, entry_of
from socle.xds.entry import rim, write_object
from socle.xds.names import LCM, RIM
from socle.xds.sets import write_member, write_set
from socle.xds.submission_set import SubmissionSet

CONTENT_TYPES: Final = "1.2.250.1.213.2.2"
_CONTENT_TYPE_OF: Final = {"IMP": "03", "AMB": "07", "EMER": "07"}
"""contentTypeCode by the encounter's code, as HL7v2's PV1-2 is mapped (spec: dmp.md §1.4)."""

MAX_DOCUMENTS: Final = 50


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """A CDA document that can be described. `confidentiality` replaces what its header says."""

    content: bytes = field(repr=False)
    header: CdaHeader = field(repr=False)
    metadata: DocumentMetadata = field(repr=False)
    patient: Ins = field(repr=False)
    action: Action = ""
    confidentiality: tuple[Coded, ...] = ()

    @classmethod
    def of(
        cls, content: bytes, action: Action = "", confidentiality: tuple[Coded, ...] = ()
    ) -> "SourceDocument":
        """Raises MalformedCdaError for what is no CDA document, or names no patient by an INS."""
        header = read_header(content)
        metadata = metadata_of(header, content)
        if metadata.patient is None:
            raise MalformedCdaError(
                [
                    Problem(
                        "CDA-HDR-recordTarget-id",
                        "recordTarget/patientRole/id",
                        "le patient n'a pas d'INS bien formé : METADATA.XML ne peut pas le désigner",
                        "un INS et sa clé (ECO.2.1.2)",
                    )
                ]
            )
        return cls(content, header, metadata, metadata.patient, action, confidentiality)

    @property
    def entry(self) -> DocumentEntry:
        return entry_of(self.metadata, self.patient, self.confidentiality)


def build_archive(
    documents: Sequence[SourceDocument], *, set_id: UUID, source_id: str, now: datetime
) -> bytes:
    """IHE_XDM.ZIP. The same arguments give the same bytes.

    `source_id` is the OID of the software that sends. Raises ValueError for no document, for more
    than MAX_DOCUMENTS, and for documents of several patients (ECO.2.1.1: one user a message).
    """
    if not 1 <= len(documents) <= MAX_DOCUMENTS:
        raise ValueError(f"an archive holds 1 to {MAX_DOCUMENTS} documents")
    if len({document.patient for document in documents}) > 1:
        raise ValueError("an archive is about one patient")
    names = [f"DOC{number:05d}.XML" for number in range(1, len(documents) + 1)]
    named = list(zip(names, documents, strict=True))
    files = [
        (
            INDEX,
            index_page(_sender(documents[0]), [(name, it.metadata.title) for name, it in named]),
        ),
        (README, readme(now)),
        (f"{SUBSET}/{METADATA}", _metadata(documents, names, set_id, source_id, now)),
        *((f"{SUBSET}/{name}", it.content) for name, it in named),
    ]
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(_place(name, now), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _sender(document: SourceDocument) -> str:
    author = next(iter(document.header.authors), None)
    organization = author.entity.organization if author else None
    return organization.name if organization else ""


def _place(name: str, now: datetime) -> zipfile.ZipInfo:
    """A zip stamps its files in local time from 1980 to 2107; the instant is UTC here."""
    at = now.astimezone(UTC)
    year = min(max(at.year, 1980), 2107)
    info = zipfile.ZipInfo(name, (year, at.month, at.day, at.hour, at.minute, at.second))
    info.external_attr = 0o644 << 16
    return info


def _metadata(
    documents: Sequence[SourceDocument],
    names: Sequence[str],
    set_id: UUID,
    source_id: str,
    now: datetime,
) -> bytes:
    request = etree.Element(f"{{{LCM}}}SubmitObjectsRequest", nsmap={"lcm": LCM, "rim": RIM})
    objects = rim(request, "RegistryObjectList")
    entry_ids = [uuid5(set_id, name) for name in names]
    for document, name, entry_id in zip(documents, names, entry_ids, strict=True):
        slots: dict[str, tuple[str, ...]] = {"URI": (name,)}
        if document.action:
            slots[ACTION_SLOT] = (document.action,)
        write_object(objects, document.entry, f"urn:uuid:{entry_id}", {}, slots)
    write_set(objects, set_id, _submission_set(documents, set_id, source_id, now))
    for entry_id in entry_ids:
        write_member(objects, set_id, entry_id)
    return etree.tostring(
        request, encoding="UTF-8", xml_declaration=True, standalone=True, pretty_print=True
    )


def _submission_set(
    documents: Sequence[SourceDocument], set_id: UUID, source_id: str, now: datetime
) -> SubmissionSet:
    """Its author is that of the first document, as in a deposit by the DMP's mapping."""
    first = documents[0]
    entry, encounter = first.entry, first.header.encounter
    code = encounter.code if encounter and encounter.code else None
    content_type = _CONTENT_TYPE_OF.get(code.code if code else "", "97")
    return SubmissionSet(
        unique_id=oid_from_uuid(set_id),
        source_id=source_id,
        patient_id=first.patient.cx,
        submission_time=now.astimezone(UTC).strftime("%Y%m%d%H%M%S"),
        content_type=Coded(content_type, CONTENT_TYPES, code.display if code else ""),
        authors=entry.authors[:1],
        title=entry.title if len(documents) == 1 else f"{len(documents)} documents",
    )
