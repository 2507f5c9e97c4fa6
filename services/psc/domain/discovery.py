"""The discovery document, with the values of PSC's own (spec: psc.md §2, copy used by the ANS).

It states what the real provider states, lists of algorithms included; what Socle does not do yet
is in the README. `acr_values_supported` really is ["0", "0"].
"""

from typing import Any, Final

SCOPES: Final = (
    "openid", "microprofile-jwt", "rpps", "referentiel", "web-origins", "basic", "identity",
    "acr", "offline_access", "eidas1", "profile", "roles", "email", "scope_all", "phone",
    "interop", "scope_1", "address", "scope_2", "eidas2",
)  # fmt: skip
_SIGNING: Final = (
    "PS384", "RS384", "EdDSA", "ES384", "HS256", "HS512", "ES256", "RS256", "HS384", "ES512",
    "PS256", "PS512", "RS512",
)  # fmt: skip
_ASYMMETRIC: Final = tuple(name for name in _SIGNING if not name.startswith("HS"))
_ENCRYPTION_ALG: Final = ("RSA-OAEP", "RSA-OAEP-256", "RSA1_5")
_ENCRYPTION_ENC: Final = (
    "A256GCM", "A192GCM", "A128GCM", "A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512",
)  # fmt: skip
_CLIENT_AUTH: Final = (
    "private_key_jwt", "client_secret_basic", "client_secret_post", "tls_client_auth",
    "client_secret_jwt",
)  # fmt: skip


def endpoints(issuer: str) -> dict[str, str]:
    connect = f"{issuer}/protocol/openid-connect"
    return {
        "token_endpoint": f"{connect}/token",
        "introspection_endpoint": f"{connect}/token/introspect",
        "userinfo_endpoint": f"{connect}/userinfo",
        "end_session_endpoint": f"{connect}/logout",
        "jwks_uri": f"{connect}/certs",
        "check_session_iframe": f"{connect}/login-status-iframe.html",
        "registration_endpoint": f"{issuer}/clients-registrations/openid-connect",
        "revocation_endpoint": f"{connect}/revoke",
        "device_authorization_endpoint": f"{connect}/auth/device",
        "backchannel_authentication_endpoint": f"{connect}/ext/ciba/auth",
        "pushed_authorization_request_endpoint": f"{connect}/ext/par/request",
    }


_ALIASED: Final = (
    "token_endpoint", "revocation_endpoint", "introspection_endpoint",
    "device_authorization_endpoint", "registration_endpoint", "userinfo_endpoint",
    "pushed_authorization_request_endpoint", "backchannel_authentication_endpoint",
)  # fmt: skip


def document(
    issuer: str, authorization_endpoint: str, tls_base: str | None = None
) -> dict[str, Any]:
    """The two names of the document differ in `authorization_endpoint` only.

    `tls_base` is the realm at the TLS listener, where certificates are seen; the real document's
    aliases are its ordinary addresses, as ours are when there is no such listener.
    """
    urls, aliases = endpoints(issuer), endpoints(tls_base or issuer)
    return {
        "issuer": issuer,
        "authorization_endpoint": authorization_endpoint,
        **urls,
        **_capabilities(),
        **_algorithms(),
        "mtls_endpoint_aliases": {name: aliases[name] for name in _ALIASED},
    }


def _capabilities() -> dict[str, Any]:
    return {
        "frontchannel_logout_session_supported": True,
        "frontchannel_logout_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "grant_types_supported": [
            "authorization_code", "implicit", "refresh_token", "password", "client_credentials",
            "urn:openid:params:grant-type:ciba", "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "acr_values_supported": ["0", "0"],
        "response_types_supported": [
            "code", "none", "id_token", "token", "id_token token", "code id_token", "code token",
            "code id_token token",
        ],
        "response_modes_supported": [
            "query", "fragment", "form_post", "query.jwt", "fragment.jwt", "form_post.jwt", "jwt",
        ],
        "subject_types_supported": ["public", "pairwise"],
        "claims_supported": [
            "aud", "sub", "iss", "auth_time", "name", "given_name", "family_name",
            "preferred_username", "email", "acr",
        ],
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": True,
        "scopes_supported": list(SCOPES),
        "request_parameter_supported": True,
        "request_uri_parameter_supported": True,
        "require_request_uri_registration": True,
        "code_challenge_methods_supported": ["plain", "S256"],
        "tls_client_certificate_bound_access_tokens": True,
        "require_pushed_authorization_requests": False,
        "backchannel_token_delivery_modes_supported": ["poll", "ping"],
        "authorization_response_iss_parameter_supported": True,
    }  # fmt: skip


def _algorithms() -> dict[str, Any]:
    signing, asymmetric = list(_SIGNING), list(_ASYMMETRIC)
    algorithms: dict[str, Any] = {
        "id_token_signing_alg_values_supported": signing,
        "userinfo_signing_alg_values_supported": [*signing, "none"],
        "request_object_signing_alg_values_supported": [*signing, "none"],
        "authorization_signing_alg_values_supported": signing,
        "backchannel_authentication_request_signing_alg_values_supported": asymmetric,
    }
    for kind in ("id_token", "userinfo", "request_object", "authorization"):
        algorithms[f"{kind}_encryption_alg_values_supported"] = list(_ENCRYPTION_ALG)
        algorithms[f"{kind}_encryption_enc_values_supported"] = list(_ENCRYPTION_ENC)
    for endpoint in ("token", "introspection", "revocation"):
        algorithms[f"{endpoint}_endpoint_auth_methods_supported"] = list(_CLIENT_AUTH)
        algorithms[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = signing
    return algorithms
