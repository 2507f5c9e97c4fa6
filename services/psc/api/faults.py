"""The faults of the space that a request turned out to be of."""

from fastapi import Request

from services.psc.provider import Provider
from socle.http.faults import RequestFaults
from socle.spaces import Space


def faults_of(request: Request, provider: Provider, space: Space, client_id: str) -> RequestFaults:
    kernel = provider.kernel
    return RequestFaults(kernel.faults, kernel.service, space, request.scope, client_id)
