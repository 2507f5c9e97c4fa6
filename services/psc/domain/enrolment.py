"""The enrolment of a relying party: what the forms of the real service ask for, in one document."""

from typing import Annotated, Any

from cryptography import x509
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from services.psc.domain.client import SECRET_METHODS, AuthMethod, SigningAlg, is_absolute_uri
from services.psc.domain.client_keys import public_members
from services.psc.domain.pkce import Policy

ClientId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
Uri = Annotated[str, StringConstraints(max_length=2048)]
Secret = Annotated[str, StringConstraints(min_length=8, max_length=255, pattern=r"^[\x21-\x7e]+$")]
Printable = Annotated[
    str, StringConstraints(min_length=1, max_length=1024, pattern=r"^[^\x00-\x1f\x7f]+$")
]


class Enrolment(BaseModel):
    """`loopback` admits every http address of the user's own machine, any port and path."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    client_id: ClientId
    name: Annotated[Printable, StringConstraints(max_length=100)]
    token_endpoint_auth_method: AuthMethod = Field(
        "client_secret_basic",
        description="with a secret, basic and post are both taken, as by Keycloak",
    )
    secret: Secret | None = Field(None, repr=False, description="drawn here when left out")
    public: bool = Field(
        False, description="another word for the method none: no secret, and PKCE is required"
    )
    jwks: dict[str, Any] | None = Field(
        None, description="the public keys of private_key_jwt (RFC 7517)"
    )
    tls_client_auth_subject_dn: Printable | None = Field(
        None, description="of tls_client_auth: the certificate's subject (RFC 4514)"
    )
    tls_client_certificate_bound_access_tokens: bool = False
    redirect_uris: Annotated[tuple[Uri, ...], Field(max_length=50)] = ()
    post_logout_redirect_uris: Annotated[tuple[Uri, ...], Field(max_length=50)] = ()
    loopback: bool = False
    pkce: Policy = "optional"
    id_token_signed_response_alg: SigningAlg = "RS256"  # noqa: S105 (a name)
    userinfo_signed_response_alg: SigningAlg | None = Field(
        None, description="userinfo as a signed JWT instead of JSON"
    )
    ciba: bool = Field(True, description="the ANS opens CIBA for each service by itself")
    auto_approve: bool = Field(
        False, description="each request for the phone or the card is approved at once"
    )

    @property
    def auth_method(self) -> AuthMethod:
        return "none" if self.public else self.token_endpoint_auth_method

    @field_validator("jwks")
    @classmethod
    def _has_public_keys(cls, jwks: dict[str, Any] | None) -> dict[str, Any] | None:
        try:
            return None if jwks is None else public_members(jwks)
        except ValueError as error:
            raise PydanticCustomError("jwks", "{why}", {"why": str(error)}) from error

    @field_validator("tls_client_auth_subject_dn")
    @classmethod
    def _is_a_name(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                x509.Name.from_rfc4514_string(name)
            except ValueError as error:
                raise PydanticCustomError(
                    "distinguished_name",
                    "not a distinguished name (RFC 4514), such as CN=ehr,OU=318751275100020,C=FR",
                ) from error
        return name

    @model_validator(mode="after")
    def _is_coherent(self) -> "Enrolment":
        self._check_method()
        ciba_only = self.ciba and "ciba" in self.model_fields_set
        if not self.redirect_uris and not self.loopback and not ciba_only:
            raise PydanticCustomError(
                "no_redirect_uri",
                "give at least one of redirect_uris or loopback: true; a client that uses CIBA "
                "only says ciba: true",
            )
        for uri in (*self.redirect_uris, *self.post_logout_redirect_uris):
            if not is_absolute_uri(uri):
                raise PydanticCustomError(
                    "redirect_uri",
                    "'{uri}' is not an absolute http, https or private-use URI without fragment",
                    {"uri": uri},
                )
        return self

    def _check_method(self) -> None:
        method = self.auth_method
        if self.public and self.token_endpoint_auth_method not in ("none", "client_secret_basic"):
            raise PydanticCustomError(
                "public_method",
                "a public client authenticates with none: leave out one of the two",
            )
        if method == "none" and self.secret is not None:
            raise PydanticCustomError(
                "public_secret", "a public client has no secret: leave out secret or public"
            )
        if method == "none" and self.pkce == "off":
            raise PydanticCustomError(
                "public_pkce", "a public client needs PKCE: pkce is optional or required"
            )
        if method not in (*SECRET_METHODS, "none") and self.secret is not None:
            raise PydanticCustomError(
                "secret_method",
                "a client that authenticates with {method} has no secret",
                {"method": method},
            )
        if (method == "private_key_jwt") != (self.jwks is not None):
            raise PydanticCustomError(
                "jwks_method", "jwks is given for private_key_jwt, and for it only"
            )
        if (method == "tls_client_auth") != (self.tls_client_auth_subject_dn is not None):
            raise PydanticCustomError(
                "subject_method",
                "tls_client_auth_subject_dn is given for tls_client_auth, and only then",
            )
