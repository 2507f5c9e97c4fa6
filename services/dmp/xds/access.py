"""Who calls the SOAP door: by a PSC token, or by a VIHF (SOCLE_DMP_AUTHENTICATION, SOCLE_DMP_VIHF)."""

from dataclasses import dataclass, field, replace
from typing import cast, get_args

from starlette.requests import Request

from services.dmp.domain.habilitation import read_habilitation
from services.dmp.domain.visibility import Purpose, Reader
from services.dmp.settings import DmpSettings
from services.dmp.xds.faults import DmpFault
from services.dmp.xds.message import Message
from services.dmp.xds.vihf import SOURCE, Vihf, read_vihf
from socle.auth.dependencies import kernel_of, professional_of
from socle.clock import wall
from socle.errors import Category, DomainError
from socle.problems import Problem
from socle.saml.signature import read_authorities
from socle.spaces import Space

INVALID_CERTIFICATE = "DMPInvalidCertificate"
_REFUSALS = (Category.UNAUTHENTICATED, Category.FORBIDDEN)


@dataclass(frozen=True, slots=True)
class Caller:
    """`token` is empty where a VIHF speaks; `warnings` is what would be refused under `enforce`."""

    identifier: str = field(repr=False)
    token: str = field(repr=False)
    space: Space
    warnings: tuple[Problem, ...] = ()
    vihf: Vihf | None = field(default=None, repr=False)
    needs_right: bool = False
    hidden_classes: tuple[str, ...] = ()

    @property
    def purpose(self) -> Purpose:
        told = self.vihf.purpose if self.vihf else ""
        return cast(Purpose, next((one for one in get_args(Purpose) if one == told), "normal"))

    @property
    def reader(self) -> Reader:
        return Reader(
            self.identifier, self.purpose, self.needs_right, hidden_classes=self.hidden_classes
        )


async def caller_of(request: Request, message: Message, settings: DmpSettings) -> Caller:
    """The token decides the space; without one it is the path's, or the default."""
    kernel = kernel_of(request)
    here = request.state.space or settings.default_space
    mode = settings.dmp_authentication
    if mode == "off":
        vihf = read_vihf(message.headers, (), wall())
        name = vihf.name if vihf else ""
        return Caller(name, "", await kernel.spaces.get(here), vihf=vihf)
    authorities = read_authorities((settings.home / "ca" / "root.pem", settings.dmp_vihf_ca))
    vihf = read_vihf(message.headers, authorities, wall())
    warnings: list[Problem] = []
    identifier, token, space = vihf.name if vihf else "", "", here
    authorization = request.headers.get("authorization")
    if authorization is not None or vihf is None or not vihf.authenticates:
        try:
            subject = await professional_of(request)
            identifier, token, space = subject.national_id, subject.token, subject.space
        except DomainError as error:
            if error.category not in _REFUSALS:
                raise
            problems = [*(vihf.problems if vihf else ()), _unknown(error)]
            if mode == "enforce":
                raise _refused(vihf, problems, message) from error
            warnings += problems
    warnings += _judged(vihf, settings, message)
    forgiven = tuple(replace(problem, severity="warning") for problem in warnings)
    return Caller(
        identifier,
        token,
        await kernel.spaces.get(space),
        forgiven,
        vihf,
        settings.dmp_authorizations == "enforce",
        _hidden(vihf, settings),
    )


def _hidden(vihf: Vihf | None, settings: DmpSettings) -> tuple[str, ...]:
    if vihf is None or settings.dmp_habilitation == "off":
        return ()
    return read_habilitation(settings.dmp_habilitation_file).hidden_from(vihf.roles)


def _judged(vihf: Vihf | None, settings: DmpSettings, message: Message) -> list[Problem]:
    if vihf is None or settings.dmp_vihf == "off":
        return []
    found = list(vihf.gaps)
    if found and settings.dmp_vihf == "enforce":
        raise DmpFault("SocleVihf", "Le VIHF n'est pas conforme.", found,
                       relates_to=message.message_id)  # fmt: skip
    return found


def _refused(vihf: Vihf | None, problems: list[Problem], message: Message) -> DmpFault:
    """The one refusal that was seen is of a certificate; the others are ours."""
    by_signature = vihf is not None and not vihf.signed
    return DmpFault(
        INVALID_CERTIFICATE if by_signature else "SocleAuthentication",
        "Not a valid signature certificate"
        if by_signature
        else "L'appelant n'est pas authentifié.",
        problems,
        relates_to=message.message_id,
    )


def _unknown(error: DomainError) -> Problem:
    return Problem(
        f"DMP-AUTH-{error.code.upper().replace('_', '-')}",
        "/http/headers/Authorization",
        error.detail,
        "a VIHF that a trusted certificate signed, or Authorization: Bearer <PSC access token>",
        source=SOURCE,
    )
