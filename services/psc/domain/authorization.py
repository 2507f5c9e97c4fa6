"""The authorization request: what it must hold, and how each fault is answered.

Source: spec psc.md §3 (scope, acr_values), OpenID Connect Core §3.1.2, RFC 6749 §4.1, RFC 7636.
"""

import re
from dataclasses import asdict, dataclass
from typing import Any, Final

from services.psc.domain import pkce
from services.psc.domain.client import Client
from services.psc.domain.discovery import SCOPES
from services.psc.domain.parameters import Parameters
from services.psc.domain.refusals import PageError, RedirectError

REQUIRED_SCOPES: Final = ("openid", "scope_all")
REQUIRED_ACR: Final = "eidas1"
RESPONSE_MODES: Final = ("query", "fragment", "form_post")
PROMPTS: Final = frozenset({"none", "login", "consent", "select_account"})
MAX_VALUE: Final = 2048
_PRINTABLE = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    client_id: str
    redirect_uri: str
    scope: str
    state: str | None
    nonce: str
    challenge: str
    challenge_method: str
    response_mode: str
    prompt: tuple[str, ...]
    max_age: int | None
    login_hint: str | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "AuthorizationRequest":
        return cls(**{**stored, "prompt": tuple(stored["prompt"])})


@dataclass(frozen=True, slots=True)
class ReturnAddress:
    """Where the answer goes, once it is known to be safe to go there."""

    redirect_uri: str
    response_mode: str
    state: str | None


def return_address(parameters: Parameters, client: Client) -> ReturnAddress:
    """Raises PageError: until the address is a registered one, nothing may be sent there."""
    uri = parameters.get("redirect_uri")
    if uri is None or "redirect_uri" in parameters.repeated:
        raise PageError(
            "invalid_request",
            "Missing parameter: redirect_uri",
            "La demande doit porter redirect_uri, une seule fois, tel qu’il est enregistré pour ce "
            "client.",
        )
    if not client.may_redirect_to(uri):
        raise PageError(
            "invalid_request",
            "Invalid parameter: redirect_uri",
            "redirect_uri doit être égal, caractère pour caractère, à une adresse enregistrée pour "
            "ce client ; POST /_sandbox/psc/clients enregistre un client et ses adresses.",
        )
    mode = parameters.get("response_mode") or "query"
    state = parameters.get("state")
    return ReturnAddress(uri, mode if mode in RESPONSE_MODES else "query", state)


def read_request(parameters: Parameters, client: Client) -> AuthorizationRequest:
    """The request of a known client with a checked address; RedirectError names what is wrong."""
    address = return_address(parameters, client)
    _refuse_malformed(parameters)
    _refuse_unsupported(parameters)
    challenge, method = _read_challenge(parameters, client)
    return AuthorizationRequest(
        client_id=client.client_id,
        redirect_uri=address.redirect_uri,
        scope=_read_scope(parameters),
        state=address.state,
        nonce=parameters.get("nonce") or "",
        challenge=challenge,
        challenge_method=method,
        response_mode=_read_response_mode(parameters),
        prompt=_read_prompt(parameters),
        max_age=_read_max_age(parameters),
        login_hint=_read_acr_then_hint(parameters),
    )


def _refuse_malformed(parameters: Parameters) -> None:
    if parameters.repeated:
        raise RedirectError(
            "invalid_request",
            "duplicated parameter",
            f"Sent more than once: {', '.join(sorted(parameters.repeated))}.",
        )
    for name, value in parameters.values.items():
        if name in ("state", "nonce", "login_hint") and (
            len(value) > MAX_VALUE or not _PRINTABLE.fullmatch(value)
        ):
            raise RedirectError(
                "invalid_request",
                f"Invalid parameter: {name}",
                f"{name} holds at most {MAX_VALUE} printable ASCII characters.",
            )


def _refuse_unsupported(parameters: Parameters) -> None:
    response_type = parameters.get("response_type")
    if response_type is None:
        raise RedirectError(
            "invalid_request", "Missing parameter: response_type", "Send response_type=code."
        )
    if response_type != "code":
        raise RedirectError(
            "unsupported_response_type",
            "Client is not allowed to initiate browser login with given response_type.",
            "Only response_type=code is granted to PSC clients.",
        )
    for name, error in (
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
    ):
        if parameters.get(name) is not None:
            raise RedirectError(error, f"Invalid parameter: {name}", "Send plain parameters.")


def _read_response_mode(parameters: Parameters) -> str:
    mode = parameters.get("response_mode") or "query"
    if mode not in RESPONSE_MODES:
        raise RedirectError(
            "invalid_request",
            "Invalid parameter: response_mode",
            f"Socle answers by {' or '.join(RESPONSE_MODES)}.",
        )
    return mode


def _read_scope(parameters: Parameters) -> str:
    asked = (parameters.get("scope") or "").split()
    missing = [scope for scope in REQUIRED_SCOPES if scope not in asked]
    if missing or unknown_scopes(asked):
        named = " ".join(character for character in asked if _PRINTABLE.fullmatch(character))
        raise RedirectError(
            "invalid_scope",
            f"Invalid scopes: {named}".strip(),
            f"scope must be 'openid scope_all' (missing: {' '.join(missing) or 'none'}).",
        )
    extra = [scope for scope in dict.fromkeys(asked) if scope not in REQUIRED_SCOPES]
    return " ".join([*REQUIRED_SCOPES, *extra])


def unknown_scopes(asked: list[str]) -> list[str]:
    return [scope for scope in asked if scope not in SCOPES]


def _read_acr_then_hint(parameters: Parameters) -> str | None:
    """PSC rejects every level but eidas1 (spec psc.md §3, secondary source)."""
    values = (parameters.get("acr_values") or "").split()
    if REQUIRED_ACR in values:
        return parameters.get("login_hint")
    if not values:
        misnamed = " You sent acr, whose name is acr_values." if parameters.get("acr") else ""
        raise RedirectError(
            "invalid_request",
            "Missing parameter: acr_values",
            f"Send acr_values={REQUIRED_ACR}.{misnamed}",
        )
    raise RedirectError(
        "invalid_request", "Invalid parameter: acr_values", f"Send acr_values={REQUIRED_ACR}."
    )


def _read_challenge(parameters: Parameters, client: Client) -> tuple[str, str]:
    challenge = parameters.get("code_challenge")
    method = parameters.get("code_challenge_method")
    if client.pkce == "off":
        return "", ""
    if challenge is None:
        if method is not None or client.requires_pkce:
            raise RedirectError(
                "invalid_request",
                "Missing parameter: code_challenge",
                "Send code_challenge=BASE64URL(SHA256(verifier)) and code_challenge_method=S256.",
            )
        return "", ""
    method = method or "plain"  # RFC 7636 §4.3
    if method not in pkce.METHODS or (client.requires_pkce and method != "S256"):
        raise RedirectError(
            "invalid_request",
            "Invalid parameter: code challenge method is not configured one",
            "Send code_challenge_method=S256.",
        )
    if not pkce.is_challenge(challenge):
        raise RedirectError(
            "invalid_request",
            "Invalid parameter: code_challenge",
            "A code_challenge has 43 to 128 characters among A-Z a-z 0-9 - . _ ~ (RFC 7636 4.2).",
        )
    return challenge, method


def _read_prompt(parameters: Parameters) -> tuple[str, ...]:
    prompt = tuple((parameters.get("prompt") or "").split())
    if not PROMPTS.issuperset(prompt) or ("none" in prompt and len(prompt) > 1):
        raise RedirectError(
            "invalid_request",
            "Invalid parameter: prompt",
            f"prompt takes {', '.join(sorted(PROMPTS))}; none stands alone (OIDC Core 3.1.2.1).",
        )
    return prompt


def _read_max_age(parameters: Parameters) -> int | None:
    value = parameters.get("max_age")
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise RedirectError(
            "invalid_request", "Invalid parameter: max_age", "max_age is a number of seconds."
        )
    return int(value)
