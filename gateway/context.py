"""What the gateway holds while it runs."""

from dataclasses import dataclass
from typing import cast

from fastapi import FastAPI

from gateway.settings import GatewaySettings
from gateway.upstreams import Upstreams
from socle.auth.tokens import TokenVerifier
from socle.http.journal import Journal


@dataclass(frozen=True)
class Gateway:
    settings: GatewaySettings
    upstreams: Upstreams
    verifier: TokenVerifier
    journal: Journal


def gateway_of(app: FastAPI) -> Gateway:
    return cast(Gateway, app.state.gateway)
