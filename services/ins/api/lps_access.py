"""Who may call INSi: `off | warn | enforce` by SOCLE_INS_AUTHENTICATION and SOCLE_INS_ASSERTION."""

from collections.abc import Sequence

from cryptography import x509
from cryptography.x509.oid import NameOID
from lxml import etree
from starlette.requests import Request

from services.ins.insi.assertion import PATH, PSC, Assertion, read_assertion
from services.ins.insi.faults import ASSERTION_REFUSED, NOT_ENTITLED, InsiFault
from services.ins.settings import InsSettings
from socle.auth.dependencies import bearer_token, kernel_of, require_same_space
from socle.auth.subject import Subject
from socle.clock import wall
from socle.errors import Category, DomainError
from socle.http import client_certificate
from socle.problems import Problem
from socle.saml.signature import read_authorities
from socle.spaces import Space

SOFTWARE_NAMES = ("INSI-AUTO", "INSI-MANU")
CERTIFICATE_NAME = "certificate_name"
SOURCE = "spec: ins.md §4.4"
_REFUSALS = (Category.UNAUTHENTICATED, Category.FORBIDDEN)


async def caller_space(
    request: Request,
    settings: InsSettings,
    headers: Sequence[etree._Element],
    warnings: list[Problem],
    message_id: str,
) -> Space:
    """The space of the token, or the request's where a certificate or a signature speaks, or where
    the check is off or only warns.

    A token that is given is verified in every mode but `off`: it decides the space.
    """
    kernel = kernel_of(request)
    name = request.state.space or settings.default_space
    if settings.ins_authentication == "off":
        return await kernel.spaces.get(name)
    assertion = _assertion(headers, settings)
    subject = None
    try:
        subject = await _authenticated(request, settings, assertion)
    except DomainError as error:
        if error.category not in _REFUSALS:
            raise
        # Who tried to be known by an assertion learns first what is wrong with it.
        problems = [*(assertion.problems if assertion else ()), _problem(error)]
        if settings.ins_authentication == "enforce":
            raise InsiFault(NOT_ENTITLED, problems, message_id=message_id) from error
        warnings.extend(problems)
    else:
        _judge(assertion, subject, settings, warnings, message_id)
    return await kernel.spaces.get(subject.space if subject else name)


async def _authenticated(
    request: Request, settings: InsSettings, assertion: Assertion | None
) -> Subject | None:
    """Whom the token names; None for a certificate or a signature, which belong to no space."""
    authorization = request.headers.get("authorization")
    certificate = client_certificate.presented(request.scope, settings)
    if authorization is None and certificate is not None:
        _require_software_name(certificate)
        return None
    if authorization is None and assertion is not None and assertion.authenticates:
        return None
    subject = await kernel_of(request).verifier.verify(bearer_token(authorization))
    require_same_space(request.state.space, subject)
    return subject


def _assertion(headers: Sequence[etree._Element], settings: InsSettings) -> Assertion | None:
    if settings.ins_assertion == "off":
        return None
    return read_assertion(headers, _authorities(settings), wall())


def _authorities(settings: InsSettings) -> list[x509.Certificate]:
    """The sandbox's own, once somebody has made it, and those that the operator names."""
    return read_authorities((settings.home / "ca" / "root.pem", settings.ins_assertion_ca))


def _judge(
    assertion: Assertion | None,
    subject: Subject | None,
    settings: InsSettings,
    warnings: list[Problem],
    message_id: str,
) -> None:
    """What is wrong with an assertion that was sent, although somebody else vouches for the call."""
    if assertion is None:
        return
    problems = list(assertion.problems)
    if subject and assertion.qualifier == PSC and assertion.name not in ("", subject.national_id):
        problems.append(
            Problem(
                "INS-SAML-SUBJECT",
                f"{PATH}/Subject/NameID",
                "it names another person than the token",
                "the SubjectNameID of the token",
                source=f"derived; {SOURCE}",
            )
        )
    if problems and settings.ins_assertion == "enforce":
        raise InsiFault(ASSERTION_REFUSED, problems, message_id=message_id)
    warnings.extend(problems)


def _require_software_name(certificate: x509.Certificate) -> None:
    """The common name of a software certificate is one of two (spec: ins.md §4.4)."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    found = str(names[0].value) if len(names) == 1 else ""
    if found not in SOFTWARE_NAMES:
        raise DomainError(
            Category.FORBIDDEN, CERTIFICATE_NAME, f"The certificate's common name is {found!r}."
        )


def _problem(error: DomainError) -> Problem:
    of_certificate = error.code == CERTIFICATE_NAME
    return Problem(
        f"INS-AUTH-{error.code.upper().replace('_', '-')}",
        "/tls/certificate/subject/CN" if of_certificate else "/http/headers/Authorization",
        error.detail,
        " or ".join(SOFTWARE_NAMES)
        if of_certificate
        else "Authorization: Bearer <Pro Santé Connect access token>, a software certificate "
        f"({' or '.join(SOFTWARE_NAMES)}) at the TLS listener, or an assertion signed with a CPx",
        source=SOURCE,
    )
