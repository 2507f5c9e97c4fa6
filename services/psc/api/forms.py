"""What the form-encoded endpoints take, for the OpenAPI document: they read their forms themselves,
since a repeated or undecodable parameter has an answer of its own in OAuth."""

from collections.abc import Sequence
from typing import Any, Final

from services.psc.api.context import FORM

_TEXT: Final = {"type": "string"}
CLIENT: Final = ("client_id", "client_secret", "client_assertion", "client_assertion_type")
AUTHORIZATION: Final = (
    "response_type", "client_id", "redirect_uri", "scope", "acr_values", "state", "nonce",
    "prompt", "max_age", "login_hint", "response_mode", "code_challenge", "code_challenge_method",
    "kc_idp_hint", "request_uri",
)  # fmt: skip


def form_body(
    names: Sequence[str],
    *,
    required: Sequence[str] = (),
    choices: dict[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """For a route's `openapi_extra`."""
    properties: dict[str, Any] = dict.fromkeys((*names, *required), _TEXT)
    for name, values in (choices or {}).items():
        properties[name] = {"type": "string", "enum": list(values)}
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        schema["required"] = list(required)
    return {"requestBody": {"content": {FORM: {"schema": schema}}}}


def query(names: Sequence[str]) -> dict[str, Any]:
    return {"parameters": [{"name": name, "in": "query", "schema": _TEXT} for name in names]}
