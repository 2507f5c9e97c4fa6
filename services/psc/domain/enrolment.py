"""The enrolment of a relying party: what the forms of the real service ask for, in one document."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.psc.domain.client import is_absolute_uri
from services.psc.domain.pkce import Policy

ClientId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
Uri = Annotated[str, StringConstraints(max_length=2048)]
Secret = Annotated[str, StringConstraints(min_length=8, max_length=255, pattern=r"^[\x21-\x7e]+$")]


class Enrolment(BaseModel):
    """`loopback` admits every http address of the user's own machine, any port and path."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    client_id: ClientId
    name: Annotated[
        str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
    ]
    secret: Secret | None = Field(None, repr=False, description="drawn here when left out")
    public: bool = Field(False, description="a client without secret, for which PKCE is required")
    redirect_uris: Annotated[tuple[Uri, ...], Field(max_length=50)] = ()
    post_logout_redirect_uris: Annotated[tuple[Uri, ...], Field(max_length=50)] = ()
    loopback: bool = False
    pkce: Policy = "optional"

    @model_validator(mode="after")
    def _is_coherent(self) -> "Enrolment":
        if self.public and self.secret is not None:
            raise ValueError("a public client has no secret: leave out secret or public")
        if self.public and self.pkce == "off":
            raise ValueError("a public client needs PKCE: pkce is optional or required")
        if not self.redirect_uris and not self.loopback:
            raise ValueError("give at least one of redirect_uris, or loopback: true")
        for uri in (*self.redirect_uris, *self.post_logout_redirect_uris):
            if not is_absolute_uri(uri):
                raise ValueError(
                    f"{uri!r} is not an absolute http, https or private-use URI without fragment"
                )
        return self
