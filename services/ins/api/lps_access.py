"""Who may call INSi: `off | warn | enforce` by SOCLE_INS_AUTHENTICATION."""

from cryptography import x509
from cryptography.x509.oid import NameOID
from starlette.requests import Request

from services.ins.insi.faults import NOT_ENTITLED, InsiFault
from services.ins.settings import InsSettings
from socle.auth.dependencies import bearer_token, kernel_of, require_same_space
from socle.errors import Category, DomainError
from socle.http import client_certificate
from socle.problems import Problem
from socle.spaces import Space

SOFTWARE_NAMES = ("INSI-AUTO", "INSI-MANU")
CERTIFICATE_NAME = "certificate_name"
_REFUSALS = (Category.UNAUTHENTICATED, Category.FORBIDDEN)


async def caller_space(request: Request, settings: InsSettings, warnings: list[Problem]) -> Space:
    """The space of the token, or the request's where a certificate speaks for the software, or
    where the check is off or only warns.

    A token that is given is verified in every mode but `off`: it decides the space.
    """
    kernel = kernel_of(request)
    name = request.state.space or settings.default_space
    if settings.ins_authentication != "off":
        try:
            name = await _authenticated(request, settings) or name
        except DomainError as error:
            if error.category not in _REFUSALS:
                raise
            problem = _problem(error)
            if settings.ins_authentication == "enforce":
                raise InsiFault(NOT_ENTITLED, [problem]) from error
            warnings.append(problem)
    return await kernel.spaces.get(name)


async def _authenticated(request: Request, settings: InsSettings) -> str | None:
    """The space of the token; None for a software certificate, which belongs to no space."""
    authorization = request.headers.get("authorization")
    certificate = client_certificate.presented(request.scope, settings)
    if authorization is None and certificate is not None:
        _require_software_name(certificate)
        return None
    subject = await kernel_of(request).verifier.verify(bearer_token(authorization))
    require_same_space(request.state.space, subject)
    return subject.space


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
        else "Authorization: Bearer <Pro Santé Connect access token>, or a software certificate "
        f"({' or '.join(SOFTWARE_NAMES)}) at the TLS listener",
        source="spec: ins.md §4.4",
    )
