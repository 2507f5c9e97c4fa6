"""What the FHIR routes share: base address, resource identifiers."""

from collections.abc import Callable, Sequence
from typing import cast
from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from services.dmp import repository
from services.dmp.admission import admit
from services.dmp.domain.visibility import Reader
from services.dmp.repository import StoredEntry
from services.dmp.settings import DmpSettings
from socle.auth.dependencies import kernel_of
from socle.auth.subject import Subject
from socle.db.database import ReadSession
from socle.errors import Category, DomainError
from socle.http.context import warn
from socle.ids.ins import Ins
from socle.problems import Problem
from socle.spaces import Space


def base_url(request: Request) -> str:
    """The address under which the client reaches this FHIR server, its space prefix included."""
    public = kernel_of(request).settings.public_url.rstrip("/")
    return f"{public}{request.state.space_prefix}/dmp/fhir"


def reader_of(request: Request, caller: Subject) -> Reader:
    settings = cast(DmpSettings, kernel_of(request).settings)
    return Reader(caller.national_id, needs_right=settings.dmp_authorizations == "enforce")


def pseudonymiser(request: Request, space: Space) -> Callable[[Ins], str]:
    kernel = kernel_of(request)
    return lambda ins: kernel.pseudonym(space.name, ins.oid, ins.matricule)


def require_searchable(problems: Sequence[Problem], detail: str = "") -> None:
    """Raises what is wrong with the parameters of a search."""
    if problems:
        raise DomainError(
            Category.INCORRECT,
            "search_parameters",
            detail or "The search cannot be made as asked.",
            problems=problems,
        )


def unused(request: Request, names: Sequence[str]) -> list[Problem]:
    """Parameters that a search does not use are told by its link `self`, or refused where the client
    prefers that: `Prefer: handling=strict` (FHIR R4 §3.1.1.2)."""
    if "handling=strict" not in ",".join(request.headers.getlist("prefer")).replace(" ", ""):
        return []
    return [
        Problem("MHD-SEARCH-UNKNOWN", name[:40], "this parameter is not used", "see /metadata",
                source="FHIR R4 §3.1.1.2")
        for name in names
    ]  # fmt: skip


async def admit_reader(
    request: Request, session: ReadSession, space: Space, reader: Reader, patient: str | None
) -> None:
    """Where a search names its patient: refuses, or has the answer tell what `enforce` would."""
    settings = cast(DmpSettings, kernel_of(request).settings)
    if patient is not None:
        told = await admit(session, space.name, reader, patient)
        if settings.dmp_authorizations != "off":
            warn(request.scope, told)


async def get_entry(
    session: ReadSession, space: Space, resource_id: str, reader: Reader
) -> StoredEntry:
    """The document of a resource id: its logicalId, or the entryUUID of any of its versions."""
    try:
        name = str(UUID(resource_id))
    except ValueError:
        raise unknown_document(resource_id) from None
    entry = await repository.get_document(session, space.name, name, reader)
    if entry is None:
        raise unknown_document(resource_id)
    return entry


def unknown_document(value: str) -> DomainError:
    return DomainError(
        Category.NOT_FOUND,
        "document_unknown",
        f"No document entry {value[:64]} in this space; search DocumentReference by patient.identifier.",
    )


def require_version(read: Response, asked: str) -> Response:
    """A vread: answers give addresses of versions, and clients read them. Earlier ones are not kept as
    resources, which FHIR leaves to a server (FHIR R4 §3.1.0.3)."""
    if read.headers["etag"] != f'W/"{asked}"':
        current = read.headers["etag"].removeprefix('W/"').rstrip('"')
        raise DomainError(
            Category.NOT_FOUND,
            "version_unknown",
            f"Only the current version is kept as a resource: {current}, not {asked[:20]}.",
        )
    return read
