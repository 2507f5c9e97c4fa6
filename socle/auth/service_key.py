"""How one service of Socle knows another that asks for nobody's sake.

Derived from the key that gateway and services share, and never the key itself: the gateway shows that
one for callers from outside whose certificate it has seen.
"""

import hashlib
import hmac
from typing import Final

from starlette.types import Scope

from socle.http.context import header
from socle.settings import Settings

SERVICE_KEY: Final = "X-Socle-Service"


def service_key(settings: Settings) -> str | None:
    if settings.gateway_key is None:
        return None
    secret = settings.gateway_key.get_secret_value().encode()
    return hmac.new(secret, b"socle service", hashlib.sha256).hexdigest()


def is_from_service(scope: Scope, settings: Settings) -> bool:
    given, expected = header(scope, SERVICE_KEY.lower().encode()), service_key(settings)
    return bool(given) and expected is not None and hmac.compare_digest(given, expected)
