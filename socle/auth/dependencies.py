"""Authentication as a FastAPI dependency: what a route needs stands in its signature."""

from typing import Annotated, cast

from fastapi import Depends, Request

from socle.auth.service_key import is_from_service
from socle.auth.subject import Subject
from socle.errors import Category, DomainError, unauthenticated
from socle.http import client_certificate
from socle.http.faults import RequestFaults
from socle.kernel import Kernel
from socle.pki.thumbprints import encoded
from socle.spaces import Space


def kernel_of(request: Request) -> Kernel:
    return cast(Kernel, request.app.state.kernel)


def bearer_token(authorization: str | None) -> str:
    """The token of an Authorization header (RFC 6750 §2.1)."""
    if not authorization:
        raise unauthenticated(
            "token_missing",
            "No access token: log in to Pro Santé Connect and send Authorization: Bearer <token>.",
        )
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise unauthenticated(
            "token_malformed", "The Authorization header is not of the form Bearer <token>."
        )
    return token.strip()


def require_same_space(explicit: str | None, subject: Subject) -> None:
    """A token of one space opens nothing in another."""
    if explicit is not None and explicit != subject.space:
        raise DomainError(
            Category.FORBIDDEN,
            "token_space",
            f"This token belongs to another space than {explicit}; log in with a client of that space.",
        )


async def professional_of(request: Request) -> Subject:
    subject = await kernel_of(request).verifier.verify(
        bearer_token(request.headers.get("authorization"))
    )
    require_same_space(request.state.space, subject)
    _require_certificate(request, subject)
    request.state.space_of_caller = subject.space  # for the journal
    await _strike(request, subject)
    return subject


def _require_certificate(request: Request, subject: Subject) -> None:
    """A certificate-bound token is worth nothing without its certificate (RFC 8705 §3)."""
    if subject.confirmation is None:
        return
    certificate = client_certificate.presented(request.scope, kernel_of(request).settings)
    seen = certificate and encoded(client_certificate.thumbprint(certificate)).values()
    if subject.confirmation not in (seen or ()):
        raise unauthenticated(
            "token_certificate",
            "This token is bound to a client certificate (its cnf): present that certificate to the "
            "TLS listener.",
        )


async def _strike(request: Request, subject: Subject) -> None:
    kernel = kernel_of(request)
    space = await kernel.spaces.get(subject.space)
    if space.faults:
        faults = RequestFaults(
            kernel.faults, kernel.service, space, request.scope, subject.client_id
        )
        await faults.strike(subject.national_id)


Professional = Annotated[Subject, Depends(professional_of)]


async def _space_of_caller(request: Request, professional: Professional) -> Space:
    return await kernel_of(request).spaces.get(professional.space)


async def _space_of_request(request: Request) -> Space:
    kernel = kernel_of(request)
    return await kernel.spaces.get(request.state.space or kernel.settings.default_space)


CallerSpace = Annotated[Space, Depends(_space_of_caller)]
"""The space of the token."""

RequestSpace = Annotated[Space, Depends(_space_of_request)]
"""The space named in the path, or the default one: for routes that need no token."""


async def _space_of_caller_or_service(request: Request) -> Space:
    if request.headers.get("authorization") is None and is_from_service(
        request.scope, kernel_of(request).settings
    ):
        return await _space_of_request(request)
    return await _space_of_caller(request, await professional_of(request))


ServiceSpace = Annotated[Space, Depends(_space_of_caller_or_service)]
"""The space of the token, or the one that another service of Socle names."""
