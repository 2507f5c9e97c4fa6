"""Who calls the token endpoint, and what is known of the request apart from its form."""

from dataclasses import dataclass

from services.psc.domain.client import Client
from socle.http.faults import RequestFaults
from socle.spaces import Space


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated client; `thumbprint` is that of the certificate it presented, if any."""

    client: Client
    thumbprint: bytes | None
    faults: RequestFaults

    @property
    def space(self) -> Space:
        return self.faults.space
