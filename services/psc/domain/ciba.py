"""The backchannel authentication request: what it must hold, and how each fault is answered.

Source: spec psc.md §6.1 (parameters, Keycloak's texts), OpenID Connect CIBA Core §7.1. That the
message must be two digits is how PSC's clients use it; the real endpoint may accept more.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, cast

from services.psc.domain.authorization import REQUIRED_ACR, REQUIRED_SCOPES, unknown_scopes
from services.psc.domain.parameters import Parameters
from services.psc.domain.refusals import OAuthError
from services.psc.domain.session import Channel

GRANT_TYPE: Final = "urn:openid:params:grant-type:ciba"
CHANNELS: Final = ("CARD", "MOBILE")
MAX_EXPIRY: Final = timedelta(minutes=5)
_TWO_DIGITS = re.compile(r"[0-9]{2}")
_PRINTABLE = re.compile(r"[\x20-\x7e]{1,64}")


@dataclass(frozen=True, slots=True)
class BackchannelRequest:
    scope: str
    national_id: str
    number: str
    channel: Channel
    expiry: timedelta | None


def read_request(parameters: Parameters) -> BackchannelRequest:
    """OAuthError names the first fault, in the order in which Keycloak looks."""
    scope = _read_scope(parameters)
    national_id = _read_hint(parameters)
    _refuse_unsupported(parameters)
    _require_acr(parameters)
    return BackchannelRequest(
        scope, national_id, _read_number(parameters), _read_channel(parameters), _expiry(parameters)
    )


def _read_scope(parameters: Parameters) -> str:
    given = parameters.get("scope")
    if given is None:
        raise OAuthError(
            "invalid_request", "missing parameter : scope", "Send scope=openid scope_all."
        )
    asked = given.split()
    missing = [scope for scope in REQUIRED_SCOPES if scope not in asked]
    if missing or unknown_scopes(asked):
        raise OAuthError(
            "invalid_scope",
            f"Invalid scopes: {given}",
            f"scope must be 'openid scope_all' (missing: {' '.join(missing) or 'none'}).",
        )
    extra = [scope for scope in dict.fromkeys(asked) if scope not in REQUIRED_SCOPES]
    return " ".join([*REQUIRED_SCOPES, *extra])


def _read_hint(parameters: Parameters) -> str:
    """CIBA Core §7.1: exactly one of three hints; PSC's clients send login_hint."""
    for name in ("id_token_hint", "login_hint_token"):
        if parameters.get(name) is not None:
            raise OAuthError(
                "invalid_request",
                f"Unsupported parameter : {name}",
                "Name the person by login_hint=<national identifier> and by nothing else.",
            )
    hint = parameters.get("login_hint")
    if hint is None:
        raise OAuthError(
            "invalid_request",
            "missing parameter : login_hint",
            "Send login_hint=<national identifier>, 8 and the RPPS for most professionals.",
        )
    if not _PRINTABLE.fullmatch(hint):
        raise OAuthError(
            "invalid_request", "invalid user", "login_hint holds printable ASCII characters only."
        )
    return hint


def _refuse_unsupported(parameters: Parameters) -> None:
    if parameters.get("user_code") is not None:
        raise OAuthError(
            "invalid_request", "User code not supported", "Leave user_code out: PSC has none."
        )
    if parameters.get("client_notification_token") is not None:
        raise OAuthError(
            "invalid_request",
            "Client Notification Token not supported",
            "PSC implements the poll mode only; leave client_notification_token out.",
        )
    if parameters.get("request") is not None:
        raise OAuthError(
            "invalid_request", "Signed request not supported", "Send plain parameters."
        )


def _require_acr(parameters: Parameters) -> None:
    if REQUIRED_ACR not in (parameters.get("acr_values") or "").split():
        raise OAuthError(
            "invalid_request", "Invalid parameter: acr_values", f"Send acr_values={REQUIRED_ACR}."
        )


def _read_number(parameters: Parameters) -> str:
    message = parameters.get("binding_message") or ""
    if not _TWO_DIGITS.fullmatch(message):
        raise OAuthError(
            "invalid_binding_message",
            "Invalid binding_message",
            "Send two digits, 00 to 99, drawn anew for each request and shown to the person.",
        )
    return message


def _read_channel(parameters: Parameters) -> Channel:
    channel = parameters.get("channel") or "MOBILE"
    if channel not in CHANNELS:
        raise OAuthError(
            "invalid_request",
            "Invalid parameter: channel",
            "channel is MOBILE (e-CPS application) or CARD (CPS card and CPS-Gestion).",
        )
    return cast(Channel, channel)


def _expiry(parameters: Parameters) -> timedelta | None:
    """`requested_expiry` in seconds (CIBA Core §7.1), five minutes at most."""
    asked = parameters.get("requested_expiry")
    if asked is None:
        return None
    if not (asked.isascii() and asked.isdigit() and len(asked) < 7 and int(asked) > 0):
        raise OAuthError(
            "invalid_request",
            "Invalid parameter: requested_expiry",
            "requested_expiry is a positive number of seconds.",
        )
    return min(timedelta(seconds=int(asked)), MAX_EXPIRY)
