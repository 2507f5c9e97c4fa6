"""Synthetic documents and the bundles around them; a test breaks one place of them."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from socle.cda.header import read_header
from socle.cda.metadata import metadata_of
from socle.cda.samples import SampleAuthor, SamplePatient, biology_report
from socle.demo.bundle import provide_bundle
from socle.idgen import oid_from_uuid, random_uuid
from socle.ids.ins import NIR_TEST, Ins
from socle.ids.structures import StructureId

CREATED = datetime(2022, 3, 15, 8, 0, tzinfo=UTC)
AUTHOR = SampleAuthor(
    rpps="99700427885",
    family_name="DOC0042788",
    given_name="KIT",
    structure=StructureId("finess", "1B0064166"),
    structure_name="Centre hospitalier de démonstration",
)
ANNE = Ins(NIR_TEST, "2790351215189")
LEO = Ins(NIR_TEST, "1810263220751")


@dataclass(frozen=True)
class Document:
    content: bytes = field(repr=False)
    unique_id: str
    ins: Ins = ANNE

    @property
    def bundle(self) -> dict[str, Any]:
        metadata = metadata_of(read_header(self.content), self.content)
        return provide_bundle(self.content, metadata, "899700427885")

    def changed(self, old: str, new: str) -> bytes:
        """The bytes with one text replaced; the text must be there."""
        assert old.encode() in self.content
        return self.content.replace(old.encode(), new.encode())


def document(
    ins: Ins = ANNE,
    *,
    created_at: datetime = CREATED,
    unique_id: str | None = None,
    seed: int = 0,
    pdf_bytes: int = 0,
) -> Document:
    """Structured, unless a PDF of about `pdf_bytes` is asked for."""
    unique_id = unique_id or oid_from_uuid(random_uuid())
    patient = SamplePatient(
        ins=ins,
        family_name="EXEMPLE",
        given_names=("CAMILLE",),
        birth_date=date(1979, 3, 28),
        sex="F",
        birth_place="51215",
    )
    content = biology_report(
        patient,
        AUTHOR,
        created_at=created_at,
        document_id=unique_id,
        seed=seed,
        level="N1" if pdf_bytes else "N3",
        target_bytes=pdf_bytes * 4 // 3 or 12_000,
    )
    return Document(content, unique_id, ins)


def resource(bundle: dict[str, Any], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind
    )
    return found


def attachment(bundle: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = resource(bundle, "DocumentReference")["content"][0]["attachment"]
    return found


def with_content(bundle: dict[str, Any], content: bytes) -> dict[str, Any]:
    """The bundle around other bytes, whose size and hash it states correctly."""
    digest = hashlib.sha1(content, usedforsecurity=False).digest()
    attachment(bundle).update(size=len(content), hash=base64.b64encode(digest).decode())
    resource(bundle, "Binary")["data"] = base64.b64encode(content).decode()
    return bundle


def together(bundles: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One submission of the documents of several."""
    first = bundles[0]
    for other in bundles[1:]:
        resource(first, "List")["entry"] += resource(other, "List")["entry"]
        first["entry"] += other["entry"][1:]
    return first
