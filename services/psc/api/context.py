"""What the routes read from a request."""

from typing import Annotated, cast
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from services.psc.domain.parameters import Parameters
from services.psc.domain.refusals import OAuthError
from services.psc.provider import Provider

FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 100
SESSION_COOKIE = "PSC_SESSION"
BROWSER_COOKIE = "PSC_LOGIN"


async def _provider(request: Request) -> Provider:
    """With fresh keys, read here because no transaction is open yet."""
    provider = cast(Provider, request.app.state.provider)
    await provider.signer.refresh()
    return provider


CurrentProvider = Annotated[Provider, Depends(_provider)]


def prefix_of(request: Request) -> str:
    return str(request.state.space_prefix)


def explicit_space(request: Request) -> str | None:
    space: str | None = request.state.space
    return space


def query_of(request: Request) -> Parameters:
    return _parse(request.scope["query_string"])


async def form_of(request: Request) -> Parameters:
    """Only the form encoding that OAuth knows; strict, so that nothing is guessed."""
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if body and declared != FORM:
        raise OAuthError(
            "invalid_request", f"The body is not {FORM}", f"Send Content-Type: {FORM}."
        )
    return _parse(body)


def _parse(encoded: bytes) -> Parameters:
    try:
        pairs = parse_qsl(
            encoded.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError as error:
        raise OAuthError(
            "invalid_request",
            "The parameters are not form-encoded UTF-8",
            f"At most {MAX_FIELDS} parameters, percent-encoded (RFC 6749 appendix B).",
        ) from error
    return Parameters.of(pairs)


def refuse_repeated(parameters: Parameters) -> None:
    if parameters.repeated:
        raise OAuthError(
            "invalid_request",
            "duplicated parameter",
            f"Sent more than once: {', '.join(sorted(parameters.repeated))}.",
        )


def required(parameters: Parameters, name: str) -> str:
    value = parameters.get(name)
    if value is None:
        raise OAuthError("invalid_request", f"Missing parameter: {name}", f"Send {name}, once.")
    return value
