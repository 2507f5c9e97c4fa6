"""The gateway's own check of the caller, before a byte of the body is read."""

from starlette.types import Scope

from gateway.routes import Access, Route
from socle.auth.dependencies import bearer_token, require_same_space
from socle.auth.tokens import TokenVerifier
from socle.http.context import header, state_of


async def admit(route: Route, scope: Scope, verifier: TokenVerifier) -> None:
    """Refuses a request that its route does not let in; notes the caller's space for the journal.

    The token goes on to the service, which verifies it again by the same code: a service that is
    reached directly is no less safe.
    """
    if route.access is not Access.BEARER:
        return
    subject = await verifier.verify(bearer_token(header(scope, b"authorization") or None))
    state = state_of(scope)
    require_same_space(state.get("space"), subject)
    state["space_of_caller"] = subject.space
