"""The caller, as a verified access token names them."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Subject:
    """A professional with a live PSC session.

    `national_id` is the IDNAT_PS ("8" + RPPS for most, spec: psc.md §5.5). The identifiers are
    kept out of `repr`, which is what ends up in logs.
    """

    space: str
    client_id: str
    national_id: str = field(repr=False)
    subject: str = field(repr=False)
    acr: str
    auth_mode: str
    expires_at: int
    token: str = field(repr=False)
    confirmation: str | None = None
    """The certificate without which the token is worth nothing (`x5t#S256` of its `cnf`)."""
