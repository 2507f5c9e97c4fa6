"""Who may call INSi: `off | warn | enforce` by SOCLE_INS_AUTHENTICATION."""

from starlette.requests import Request

from services.ins.insi.faults import NOT_ENTITLED, InsiFault
from services.ins.settings import InsSettings
from socle.auth.dependencies import bearer_token, kernel_of, require_same_space
from socle.errors import Category, DomainError
from socle.problems import Problem
from socle.spaces import Space

_REFUSALS = (Category.UNAUTHENTICATED, Category.FORBIDDEN)


async def caller_space(request: Request, settings: InsSettings, warnings: list[Problem]) -> Space:
    """The space of the token, or the request's where the check is off or only warns.

    A token that is given is verified in every mode but `off`: it decides the space.
    """
    kernel = kernel_of(request)
    name = request.state.space or settings.default_space
    if settings.ins_authentication != "off":
        try:
            subject = await kernel.verifier.verify(
                bearer_token(request.headers.get("authorization"))
            )
            require_same_space(request.state.space, subject)
            name = subject.space
        except DomainError as error:
            if error.category not in _REFUSALS:
                raise
            problem = _problem(error)
            if settings.ins_authentication == "enforce":
                raise InsiFault(NOT_ENTITLED, [problem]) from error
            warnings.append(problem)
    return await kernel.spaces.get(name)


def _problem(error: DomainError) -> Problem:
    return Problem(
        f"INS-AUTH-{error.code.upper().replace('_', '-')}",
        "/http/headers/Authorization",
        error.detail,
        "Authorization: Bearer <Pro Santé Connect access token>",
        source="spec: ins.md §4.4",
    )
