"""A lot of TD2.1 (ITI-41): the set, its documents, their signature, and what they replace (spec: dmp.md
§1.4). The same deposit makes the same lot, so that the DMP knows it again."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid5

from lxml import etree

from services.mss.hl7v2.dmp.deposit import Deposit
from services.mss.hl7v2.dmp.lot_signature import sign_lot
from services.mss.letters import SOURCE_ID
from socle.cda.hl7v2 import xcn, xon
from socle.cda.model import Entity, Id, NamePart, PersonName
from socle.idgen import oid_from_uuid
from socle.ids import oids
from socle.pki.issuing import Issued
from socle.soap.mtom import XOP, Attachment
from socle.xdm import SourceDocument
from socle.xdm.build import CONTENT_TYPES
from socle.xds import names
from socle.xds.document_entry import NORMAL, Author, Coded, DocumentEntry
from socle.xds.entry import rim, write_object
from socle.xds.names import LCM, RIM, XDSB
from socle.xds.sets import write_member, write_set
from socle.xds.submission_set import SubmissionSet

_OTHER: Final = "97"
"""contentTypeCode where PV1-2 has none that is mapped, as for an external patient (N)."""
_HIDDEN: Final = (
    Coded("N", NORMAL, "Normal"),
    Coded("MASQUE_PS", oids.VISIBILITY, "Masqué aux professionnels de santé"),
    Coded("INVISIBLE_PATIENT", oids.VISIBILITY, "Document non visible par le patient"),
)
_URN: Final = "URN"


@dataclass(frozen=True, slots=True)
class Lot:
    body: etree._Element
    attachments: Sequence[Attachment]


def write_lot(
    deposit: Deposit,
    documents: Sequence[SourceDocument],
    set_id: UUID,
    replaced: Mapping[str, str],
    seal: Issued,
    at: datetime,
) -> Lot:
    """`replaced` has the entryUUID (`urn:uuid:…`) of what each document replaces, by its uniqueId."""
    request = etree.Element(
        f"{{{XDSB}}}ProvideAndRegisterDocumentSetRequest",
        nsmap={"xdsb": XDSB, "lcm": LCM, "rim": RIM, "xop": XOP},
    )
    objects = rim(etree.SubElement(request, f"{{{LCM}}}SubmitObjectsRequest"), "RegistryObjectList")
    submission = submission_set(deposit, documents, set_id, at)
    write_set(objects, set_id, submission)
    signature = sign_lot(
        submission.unique_id, [(it.metadata.unique_id, it.content) for it in documents], seal, at
    )
    parts = [(_entry(it), it.content) for it in documents]
    parts.append((_signature_entry(submission, parts[0][0], signature, set_id), signature))
    ids = [uuid5(set_id, str(number)) for number in range(len(parts))]
    attachments = []
    for number, (entry_id, (entry, content)) in enumerate(zip(ids, parts, strict=True)):
        write_object(objects, entry, f"urn:uuid:{entry_id}", {}, {})
        write_member(objects, set_id, entry_id)
        target = replaced.get(entry.unique_id)
        if target:
            _association(objects, f"Replaces{number}", names.REPLACES, entry_id, target)
        name = f"part{number}@socle"
        held = etree.SubElement(request, f"{{{XDSB}}}Document", id=f"urn:uuid:{entry_id}")
        etree.SubElement(held, f"{{{XOP}}}Include", href=f"cid:{name}")
        attachments.append(Attachment(name, "text/xml", content))
    _association(objects, "Signs", names.SIGNS, ids[-1], f"urn:uuid:{set_id}")
    return Lot(request, attachments)


def submission_set(
    deposit: Deposit, documents: Sequence[SourceDocument], set_id: UUID, at: datetime
) -> SubmissionSet:
    """Its author is whoever asks (guide, mapping: PRT SB), not the author of a document."""
    first = documents[0]
    encounter = first.header.encounter
    display = encounter.code.display if encounter and encounter.code else ""
    content_type = deposit.content_type or _OTHER
    return SubmissionSet(
        unique_id=oid_from_uuid(set_id),
        source_id=SOURCE_ID,
        patient_id=deposit.patient.cx,
        submission_time=at.astimezone(UTC).strftime("%Y%m%d%H%M%S"),
        content_type=Coded(content_type, CONTENT_TYPES, display or content_type),
        authors=(_author(deposit),),
        title=first.metadata.title if len(documents) == 1 else f"{len(documents)} documents",
    )


def _author(deposit: Deposit) -> Author:
    asks = deposit.requester
    name = PersonName(
        families=(NamePart("", asks.family),) if asks.family else (),
        givens=(NamePart("", asks.given),) if asks.given else (),
    )
    ids = (Id(oids.IDNAT_PS, asks.person),) if asks.person else ()
    person = xcn(Entity(ids=ids, name=name, device=asks.shown))
    return Author(person, (xon(asks.structure_name, asks.structure),))


def _entry(document: SourceDocument) -> DocumentEntry:
    """The INS stands for an identifier of the structure's own where the document has none."""
    entry = document.entry
    return replace(entry, source_patient_id=entry.source_patient_id or document.patient.cx)


def _signature_entry(
    submission: SubmissionSet, document: DocumentEntry, content: bytes, set_id: UUID
) -> DocumentEntry:
    """The signature as one more document, hidden from everybody (spec: dmp.md §1.4)."""
    return DocumentEntry(
        unique_id=oid_from_uuid(uuid5(set_id, "signature")),
        patient_id=submission.patient_id,
        type_code=Coded(names.SIGNATURE_TYPE, "ASTM", "Full Document"),
        class_code=Coded(
            "urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1", _URN, "Digital signature of a submission set"
        ),
        format_code=Coded(names.SIGNATURE_FORMAT, _URN, "Default signature style"),
        facility_type=document.facility_type,
        practice_setting=document.practice_setting,
        confidentiality=_HIDDEN,
        event_codes=(Coded("1.2.840.10065.1.12.1.14", "1.2.840.10065.1.12", "Source"),),
        authors=submission.authors,
        title="Source",
        creation_time=submission.submission_time,
        service_start=submission.submission_time,
        language="art",
        legal_authenticator=document.legal_authenticator,
        source_patient_id=document.source_patient_id,
        size=len(content),
        hash=hashlib.sha1(content, usedforsecurity=False).hexdigest(),  # XDS fixes SHA-1
    )


def _association(
    objects: etree._Element, identifier: str, kind: str, source: UUID, target: str
) -> None:
    rim(
        objects, "Association", id=identifier, objectType=names.ASSOCIATION, associationType=kind,
        sourceObject=f"urn:uuid:{source}", targetObject=target,
    )  # fmt: skip
