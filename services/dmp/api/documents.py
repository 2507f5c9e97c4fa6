"""/_sandbox/dmp: a registered document as a page to read, and sample documents to deposit."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import HTMLResponse, Response

from services.dmp import repository
from services.dmp.api.records import PatientIn
from services.dmp.deep.queue import get_validation
from services.dmp.repository import EVERYTHING
from socle.auth.dependencies import RequestSpace
from socle.cda.reading import POLICY, reading_page
from socle.cda.samples import SampleAuthor, SamplePatient
from socle.cda.samples_families import SAMPLES, sample_document
from socle.cda.xml import MalformedCdaError
from socle.db.sessions import ReadSession
from socle.errors import Category, DomainError
from socle.http.control import sandbox_only
from socle.idgen import oid_from_uuid, random_uuid
from socle.ids.structures import parse_struct_idnat

router = APIRouter(prefix="/_sandbox/dmp", tags=["control plane"], dependencies=[sandbox_only])
_NAME = r"^[^\x00-\x1f]+$"
DocumentId = Annotated[str, Path(max_length=300, pattern=_NAME)]
_STRICT = ConfigDict(extra="forbid", hide_input_in_errors=True)


class SamplePersonIn(BaseModel):
    """The traits that the document shall carry: those of the qualified identity, or it is refused."""

    model_config = _STRICT

    family_name: str = Field("EXEMPLE", max_length=100, pattern=_NAME)
    given_names: list[str] = Field(["CAMILLE"], min_length=1, max_length=10)
    birth_date: date = date(1979, 3, 28)
    sex: Literal["M", "F"] = "F"
    birth_place: str = Field("51215", pattern=r"^[0-9A-Za-z]{5}$", description="COG")


class SampleAuthorIn(BaseModel):
    model_config = _STRICT

    rpps: str = Field("99700427885", pattern=r"^[0-9]{11}$")
    family_name: str = Field("DOC0042788", max_length=100, pattern=_NAME)
    given_name: str = Field("KIT", max_length=100, pattern=_NAME)
    structure: str = Field(
        "11B0064166", max_length=20, description="Struct_IdNat: 1 and the FINESS"
    )
    structure_name: str = Field("Établissement d'exemple", max_length=200, pattern=_NAME)


class SampleIn(PatientIn):
    sample: str = Field(description=f"one of {', '.join(SAMPLES)}")
    person: SamplePersonIn = SamplePersonIn()
    author: SampleAuthorIn = SampleAuthorIn()
    document_id: str | None = Field(None, max_length=64, pattern=r"^[0-2](\.(0|[1-9][0-9]*))+$")


@router.get("/samples")
async def list_samples() -> list[dict[str, Any]]:
    """The families of documents that can be made here."""
    return [
        {"sample": name, "type": one.family.code, "title": one.family.title, "level": one.level}
        for name, one in SAMPLES.items()
    ]


@router.post("/samples", response_class=Response)
async def make_sample(body: SampleIn, space: RequestSpace) -> Response:
    """A CDA document that the DMP takes, dated by the clock of the space. It is not deposited."""
    structure = parse_struct_idnat(body.author.structure)
    if body.sample not in SAMPLES or structure is None:
        raise DomainError(
            Category.INCORRECT,
            "sample_unknown",
            f"sample is one of {', '.join(SAMPLES)}; author.structure is a Struct_IdNat, such as "
            "1 and a FINESS.",
        )
    person, author = body.person, body.author
    content = sample_document(
        body.sample,
        SamplePatient(
            body.ins(),
            person.family_name,
            tuple(person.given_names),
            person.birth_date,
            person.sex,
            person.birth_place,
        ),
        SampleAuthor(
            author.rpps, author.family_name, author.given_name, structure, author.structure_name
        ),
        created_at=space.now(),
        document_id=body.document_id or oid_from_uuid(random_uuid()),
    )
    return Response(content, media_type="text/xml")


@router.get("/documents/{document_id}/validation")
async def read_validation(
    document_id: DocumentId, space: RequestSpace, session: ReadSession
) -> dict[str, Any]:
    """What deep validation found (SOCLE_DMP_XSD, SOCLE_DMP_SCHEMATRONS), or that it waits."""
    stored = await repository.get_document(session, space.name, document_id, EVERYTHING)
    # The bytes never change: they are validated once, under the first version's entryUUID.
    found = stored and await get_validation(session, space.name, stored.logical_id)
    if not found:
        raise DomainError(
            Category.NOT_FOUND,
            "validation_unknown",
            "No validation of this document was asked for: set SOCLE_DMP_XSD or "
            "SOCLE_DMP_SCHEMATRONS, and deposit it.",
        )
    state = "waiting" if found.done_at is None else "done"
    return {"state": state, "done_at": found.done_at, "findings": found.findings}


@router.get("/documents/{document_id}", response_class=HTMLResponse)
async def read_document(
    document_id: DocumentId, space: RequestSpace, session: ReadSession
) -> HTMLResponse:
    """Any document of the space, by its identifier or its FHIR id, whoever may see it."""
    stored = await repository.get_document(session, space.name, document_id, EVERYTHING)
    if stored is None:
        raise DomainError(
            Category.NOT_FOUND, "document_unknown", f"No document {document_id[:64]} in this space."
        )
    content = await repository.get_content(session, space.name, stored.id)
    try:
        page = reading_page(content)
    except MalformedCdaError as error:
        raise DomainError(
            Category.UNPROCESSABLE, "document_unreadable", "This document is no CDA to show.",
            problems=error.problems,
        ) from None  # fmt: skip
    headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
    return HTMLResponse(page, headers=headers)
