"""What goes back to the browser once a login has ended: the redirect and the cookies."""

from dataclasses import replace
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from services.psc.api.context import SESSION_COOKIE, prefix_of
from services.psc.api.pages import page
from services.psc.domain.authorization import AuthorizationRequest, ReturnAddress
from services.psc.domain.refusals import RedirectError
from services.psc.provider import Provider
from services.psc.service import logins
from socle.http.faults import RequestFaults


def address_of(asked: AuthorizationRequest) -> ReturnAddress:
    return ReturnAddress(asked.redirect_uri, asked.response_mode, asked.state)


def approved(
    request: Request,
    provider: Provider,
    address: ReturnAddress,
    issuer: str,
    approval: logins.Approved,
    faults: RequestFaults,
) -> Response:
    """`iss` (RFC 9207) and `session_state` come with the code, as PSC sends them."""
    answer = {"session_state": str(approval.session_id), "iss": issuer, "code": approval.code}
    if (rule := faults.effect("oauth_error", approval.person)) is not None:
        answer = {"error": rule.value or "", "error_description": f"Fault {rule.id}", "iss": issuer}
    if faults.effect("drop_state", approval.person):
        address = replace(address, state=None)
    if faults.effect("drop_iss", approval.person):
        del answer["iss"]
    response = _redirect(request, address, answer)
    if approval.cookie is not None:
        set_cookie(response, request, provider, SESSION_COOKIE, approval.cookie)
    return response


def refused(
    request: Request, address: ReturnAddress, issuer: str, error: RedirectError
) -> Response:
    request.state.refusal = error  # the journal shows why, although the answer is a redirect
    answer = {"error": error.code, "error_description": error.detail, "iss": issuer}
    if error.hint:
        answer["socle_hint"] = error.hint  # clients ignore what they do not know (RFC 6749 §4.1.2)
    return _redirect(request, address, answer)


def _redirect(request: Request, address: ReturnAddress, answer: dict[str, str]) -> Response:
    """By the response mode of the request; form_post is what ASP.NET's clients ask for."""
    if address.state is not None:
        answer = {"state": address.state, **answer}
    if address.response_mode == "form_post":
        return page(
            "form_post.html",
            script="form_post.js",
            action=address.redirect_uri,
            fields=answer,
        )
    mark = "#" if address.response_mode == "fragment" else "?"
    if mark == "?" and "?" in address.redirect_uri:
        mark = "" if address.redirect_uri.endswith(("?", "&")) else "&"
    status = 303 if request.method == "POST" else 302  # 303: the form is not posted again
    return RedirectResponse(
        f"{address.redirect_uri}{mark}{urlencode(answer)}",
        status,
        {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
    )


def set_cookie(
    response: Response, request: Request, provider: Provider, name: str, value: str
) -> None:
    """Sent to this space's realm only, out of reach of scripts and of other sites' posts."""
    response.set_cookie(
        name,
        value,
        path=f"{prefix_of(request)}/auth",
        secure=provider.settings.public_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
