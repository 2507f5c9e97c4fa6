"""What a request asks of its own handling (RFC 7240), whichever door it came through."""

from typing import cast

from fastapi import Request

from services.dmp.domain.validation import Policy
from services.dmp.settings import DmpSettings
from socle.auth.dependencies import kernel_of


def policy_of(request: Request) -> Policy:
    """SOCLE_DMP_VALIDATION, or `Prefer: handling=strict` or `lenient` for this one request."""
    settings = cast(DmpSettings, kernel_of(request).settings)
    return settings.dmp_policy.preferring(",".join(request.headers.getlist("prefer")))
