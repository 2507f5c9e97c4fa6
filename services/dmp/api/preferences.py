"""What a request asks of its own handling (RFC 7240), whichever door it came through."""

from collections.abc import Mapping
from typing import Any, Final, cast

from fastapi import Request
from starlette.responses import Response

from services.dmp.domain.validation import Policy
from services.dmp.settings import DmpSettings
from socle.auth.dependencies import kernel_of
from socle.fhir.messages import fhir_response

_NOTHING_TO_TELL: Final = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "information", "code": "informational", "details": {"text": "All OK"}}],
}


def policy_of(request: Request) -> Policy:
    """SOCLE_DMP_VALIDATION, or `Prefer: handling=strict` or `lenient` for this one request."""
    settings = cast(DmpSettings, kernel_of(request).settings)
    return settings.dmp_policy.preferring(",".join(request.headers.getlist("prefer")))


def written(
    request: Request,
    resource: dict[str, Any],
    told: dict[str, Any] | None = None,
    *,
    status: int = 200,
    headers: Mapping[str, str],
) -> Response:
    """The answer to a create or a change: the resource, or nothing or an OperationOutcome where that is
    preferred (`Prefer: return=`, FHIR R4 §3.1.0.1.7). `told` is the outcome, where there is one."""
    asked = ",".join(request.headers.getlist("prefer")).replace(";", ",").split(",")
    wanted = {one.strip().lower() for one in asked}
    if "return=minimal" in wanted:
        return Response(None, status, headers)
    if "return=operationoutcome" in wanted:
        return fhir_response(told or _NOTHING_TO_TELL, status, **headers)
    return fhir_response(resource, status, **headers)
