"""Control plane of the trust space: operators, domains, certificates and rules at will."""

from typing import Annotated, Any, Literal
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from services.mss.api.trust import authority_in
from services.mss.domain.mailboxes import normalised
from services.mss.domain.trust import RULES, Mode
from services.mss.domain.whitelist import Entry
from services.mss.settings import MssSettings
from services.mss.transport import queue
from services.mss.trust import repository, service
from services.mss.trust.repository import Operator, Stored
from services.mss.trust.service import MAX_PEM, NewDomain
from socle.auth.dependencies import RequestSpace, kernel_of
from socle.clock import wall
from socle.db.sessions import ReadSession, WriteSession
from socle.errors import Category, DomainError
from socle.http.control import sandbox_only
from socle.pki.issuing import Issued, Validity, as_pkcs12

router = APIRouter(prefix="/_sandbox/mss", tags=["control plane"], dependencies=[sandbox_only])
LIMIT = 1000
P12_PASSWORD = "socle"  # noqa: S105 (of keys that are worth nothing outside the sandbox)
ONE_LINE = r"^[^\x00-\x1f\x7f]*$"
"""PostgreSQL takes no NUL."""

Short = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=ONE_LINE)]
Text = Annotated[str, StringConstraints(max_length=300, pattern=ONE_LINE)]
Name = Annotated[str, Path(max_length=64, pattern=ONE_LINE)]
Domain = Annotated[str, Path(max_length=253, pattern=ONE_LINE)]
Address = Annotated[str, Path(max_length=320, pattern=ONE_LINE)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OperatorIn(_In):
    """`structure` is the OU of its certificates: "3" and a SIRET, or "1" and a FINESS."""

    name: Short
    title: Short
    host: Short
    structure: Short = "300000000000000"
    department: Short = "Paris (75)"
    responsible: Text = ""
    support: Text = ""


class DomainIn(_In):
    """Without `dn` it is that of the certificates which the sandbox issues to the operator."""

    domain: Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=ONE_LINE)]
    operator: Short
    dn: (
        Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=ONE_LINE)] | None
    ) = None
    description: Text = ""


class CertificateIn(_In):
    """With another `host` than the operator's, the subject is one that no entry lists."""

    host: Short | None = None
    validity: Validity = "valid"


class MailboxCertificateIn(_In):
    """Issued here, or `pem`: one's own, from an authority that SOCLE_MSS_CLIENT_CA names."""

    validity: Validity = "valid"
    pem: Annotated[str, StringConstraints(max_length=MAX_PEM)] | None = None


class PresentedIn(_In):
    certificate: UUID


class AnswerIn(_In):
    answer: Annotated[str, StringConstraints(max_length=320)] | None


@router.get("/trust/rules")
async def read_rules(
    request: Request, space: RequestSpace, session: ReadSession
) -> dict[str, dict[str, str]]:
    modes = await service.rules(session, space.name, _defaults(request))
    return {rule: {"mode": mode, "meaning": RULES[rule]} for rule, mode in modes.items()}


@router.put("/trust/rules")
async def change_rules(
    request: Request, space: RequestSpace, session: WriteSession, modes: dict[str, Mode]
) -> dict[str, Mode]:
    """Of the rules that are named; the others stay as they are."""
    await service.change_rules(session, space, modes)
    return await service.rules(session, space.name, _defaults(request))


@router.get("/trust/operators")
async def list_operators(space: RequestSpace, session: ReadSession) -> list[dict[str, Any]]:
    return [_operator(one) for one in await repository.list_operators(session, space.name)]


@router.post("/trust/operators", status_code=201)
async def create_operator(
    body: OperatorIn, space: RequestSpace, session: WriteSession
) -> dict[str, Any]:
    operator = Operator(**body.model_dump())
    await service.create_operator(session, space, operator)
    return _operator(operator)


@router.post("/trust/operators/{name}/certificates", status_code=201)
async def issue_certificate(
    request: Request, name: Name, body: CertificateIn, space: RequestSpace, session: WriteSession
) -> dict[str, Any]:
    """Valid, expired or not yet valid; revoke it for a revoked one."""
    stored = await service.issue_to_operator(
        session, space, authority_in(request), name, host=body.host, validity=body.validity
    )
    return _certificate(request, stored)


@router.put("/trust/operators/{name}/presented")
async def choose_presented(
    name: Name, body: PresentedIn, space: RequestSpace, session: WriteSession
) -> dict[str, Any]:
    """What the sandbox presents when it sends as this operator, and when senders that look
    (TRUST-RECEIVER) hand it mail for it."""
    await service.choose_presented(session, space, name, body.certificate)
    return _operator(await service.operator_named(session, space, name))


@router.put("/trust/operators/{name}/answer")
async def set_answer(
    name: Name, body: AnswerIn, space: RequestSpace, session: WriteSession
) -> dict[str, Any]:
    """What its server says to every recipient, `451 4.3.2 later` say; null takes mail again."""
    await service.set_answer(session, space, name, body.answer)
    return _operator(await service.operator_named(session, space, name))


@router.get("/trust/domains")
async def list_domains(space: RequestSpace, session: ReadSession) -> list[dict[str, Any]]:
    return [
        _domain(operator, entry)
        for operator, entry in await repository.list_domains(session, space.name)
    ]


@router.post("/trust/domains", status_code=201)
async def add_domain(body: DomainIn, space: RequestSpace, session: WriteSession) -> dict[str, Any]:
    """An entry of the whitelist; the domain may have others, one for each certificate."""
    new = NewDomain(body.domain.lower(), body.operator, body.dn, body.description)
    return _domain(body.operator, await service.add_domain(session, space, new))


@router.delete("/trust/domains/{domain}", status_code=204)
async def remove_domain(
    domain: Domain,
    space: RequestSpace,
    session: WriteSession,
    dn: Annotated[str | None, Query(max_length=1000, pattern=ONE_LINE)] = None,
) -> None:
    """All entries of the domain, or the one with this `dn`."""
    await service.remove_domain(session, space, domain.lower(), dn)


@router.get("/trust/certificates")
async def list_certificates(
    request: Request, space: RequestSpace, session: ReadSession
) -> list[dict[str, Any]]:
    found = await repository.list_certificates(session, space.name, LIMIT)
    return [_certificate(request, stored) for stored in found]


@router.post("/trust/certificates/{certificate}/revoke")
async def revoke_certificate(
    request: Request, certificate: UUID, space: RequestSpace, session: WriteSession
) -> dict[str, Any]:
    """From now on it is in the CRL, and refused."""
    await service.revoke(session, space, certificate)
    return _certificate(request, await service.certificate_of(session, space, certificate))


@router.get("/trust/certificates/{certificate}.{form}", response_class=Response)
async def download_certificate(
    request: Request,
    certificate: UUID,
    form: Literal["pem", "key", "p12"],
    space: RequestSpace,
    session: ReadSession,
    password: Annotated[str, Query(min_length=1, max_length=100)] = P12_PASSWORD,
) -> Response:
    """`pem`: with the authorities that issued it; `p12`: with the key, under `password`."""
    stored = await service.certificate_of(session, space, certificate)
    authority = authority_in(request)
    if form == "pem":
        content = stored.pem.encode() + authority.ca.chain_pem
        return Response(content, media_type="application/x-pem-file")
    if stored.key_pem is None:
        raise DomainError(
            Category.NOT_FOUND, "key_unknown", "This certificate was brought without its key."
        )
    if form == "key":
        return Response(stored.key_pem, media_type="application/x-pem-file")
    key = serialization.load_pem_private_key(stored.key_pem.encode(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    issued = Issued(x509.load_pem_x509_certificate(stored.pem.encode()), key)
    chain = [authority.ca.certificate, authority.ca.root.certificate]
    return Response(
        as_pkcs12(issued, chain, str(stored.id), password),
        media_type="application/x-pkcs12",
        headers={"Content-Disposition": f'attachment; filename="{stored.id}.p12"'},
    )


@router.post("/mailboxes/{address}/certificates", status_code=201)
async def give_certificate(
    request: Request,
    address: Address,
    body: MailboxCertificateIn,
    space: RequestSpace,
    session: WriteSession,
) -> dict[str, Any]:
    """A certificate that opens this applicative mailbox, by SASL EXTERNAL."""
    box = normalised(address)
    if body.pem is not None:
        stored = await service.bind_to_mailbox(session, space, box, body.pem)
    else:
        stored = await service.issue_to_mailbox(
            session, space, authority_in(request), box, body.validity
        )
    return _certificate(request, stored)


@router.get("/ca-chain.pem", response_class=Response)
async def read_chain(request: Request) -> Response:
    """The authority that issues organisations' certificates, and the root above it."""
    return Response(authority_in(request).ca.chain_pem, media_type="application/x-pem-file")


@router.get("/queue")
async def read_queue(space: RequestSpace, session: ReadSession) -> list[dict[str, Any]]:
    """What waits to be handed to other operators."""
    return [
        {
            "message": str(one.message),
            "operator": one.operator,
            "recipient": one.recipient.address,
            "queued_at": one.queued_at,
            "next_at": one.next_at,
            "attempts": one.attempts,
            "reply": one.reply,
        }
        for one in await queue.list_queued(session, space.name, LIMIT)
    ]


@router.post("/queue/retry")
async def retry_queue(space: RequestSpace, session: WriteSession) -> dict[str, int]:
    """Nothing waits for its next attempt any longer."""
    return {"due": await queue.retry_all(session, space.name, wall())}


def _defaults(request: Request) -> dict[str, Mode]:
    settings = kernel_of(request).settings
    assert isinstance(settings, MssSettings)
    return service.defaults_of(settings)


def _operator(operator: Operator) -> dict[str, Any]:
    return {
        "name": operator.name,
        "title": operator.title,
        "host": operator.host,
        "dn": service.standard_dn(operator),
        "answer": operator.answer,
        "presented": operator.certificate and str(operator.certificate),
    }


def _domain(operator: str, entry: Entry) -> dict[str, Any]:
    return {
        "domain": entry.domain,
        "operator": operator,
        "dn": entry.dn,
        "description": entry.description,
        "updated_at": entry.updated_at,
    }


def _certificate(request: Request, stored: Stored) -> dict[str, Any]:
    prefix = f"{request.state.space_prefix}/_sandbox/mss/trust/certificates/{stored.id}"
    forms = ("pem", "key", "p12") if stored.key_pem is not None else ("pem",)
    return {
        "id": str(stored.id),
        "purpose": stored.purpose,
        "operator": stored.operator,
        "dn": stored.subject,
        "serial": stored.serial,
        "sha256": stored.fingerprint.hex(),
        "not_before": stored.not_before,
        "not_after": stored.not_after,
        "revoked_at": stored.revoked_at,
        "files": {form: f"{prefix}.{form}" for form in forms},
    }
