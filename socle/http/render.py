"""A refusal in the form of each protocol. The category decides; see socle/errors.py."""

from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import orjson
from starlette.responses import Response

from socle.errors import DomainError
from socle.faults import InjectedFault
from socle.problems import Problem

Renderer = Callable[[DomainError, str], Response]
"""Takes the refusal and the correlation id."""

FHIR_JSON = "application/fhir+json; charset=utf-8"
SOAP_12 = "application/soap+xml; charset=utf-8"


def render_json(error: DomainError, correlation_id: str) -> Response:
    body: dict[str, Any] = {
        "error": error.code,
        "detail": error.detail,
        "correlation_id": correlation_id,
    }
    if error.problems:
        body["problems"] = [_problem(problem) for problem in error.problems]
    return Response(orjson.dumps(body), error.status, error.headers, "application/json")


def _problem(problem: Problem) -> dict[str, str]:
    return {
        name: value
        for name in ("rule", "severity", "path", "message", "expected", "source")
        if (value := getattr(problem, name))
    }


def operation_outcome(error: DomainError, correlation_id: str = "") -> dict[str, Any]:
    """One issue per problem: rule in `details.coding`, element in `expression`."""
    issues = [_issue(error, problem) for problem in error.problems] or [
        {
            "severity": "error",
            "code": error.mapped.outcome,
            "details": {"coding": [_coding(error.code)], "text": error.detail},
        }
    ]
    outcome: dict[str, Any] = {"resourceType": "OperationOutcome", "issue": issues}
    if correlation_id:
        outcome["id"] = correlation_id
    return outcome


def _issue(error: DomainError, problem: Problem) -> dict[str, Any]:
    diagnostics = [f"Expected: {problem.expected}."] if problem.expected else []
    if problem.source:
        diagnostics.append(f"Source: {problem.source}.")
    issue: dict[str, Any] = {
        "severity": problem.severity,
        "code": error.mapped.outcome,
        "details": {
            "coding": [_coding(error.code), _coding(problem.rule)],
            "text": problem.message,
        },
        "expression": [problem.path],
    }
    if diagnostics:
        issue["diagnostics"] = " ".join(diagnostics)
    return issue


def _coding(code: str) -> dict[str, str]:
    return {"system": "urn:socle:rule", "code": code}


def render_outcome(error: DomainError, correlation_id: str) -> Response:
    body = orjson.dumps(operation_outcome(error, correlation_id))
    return Response(body, error.status, {**error.headers, "Content-Type": FHIR_JSON})


def render_oauth(error: DomainError, _correlation_id: str) -> Response:
    """RFC 6749 §5.2. A code that is an OAuth error already is kept as it is."""
    body = {"error": error.code if error.code in _OAUTH_CODES else error.mapped.oauth}
    body["error_description"] = error.detail
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache", **error.headers}
    return Response(orjson.dumps(body), error.status, headers, "application/json")


_OAUTH_CODES = frozenset(
    {
        "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client",
        "unsupported_grant_type", "unsupported_response_type", "invalid_scope", "invalid_token",
        "access_denied", "server_error", "temporarily_unavailable", "login_required",
    }
)  # fmt: skip


def soap_fault(error: DomainError, *, prefix: str = "soap", subcode: str | None = None) -> bytes:
    """A SOAP 1.2 fault; a service with a fault format of its own writes its own."""
    details = "".join(
        f"<socle:problem rule={quoteattr(p.rule)} path={quoteattr(p.path)}"
        f" severity={quoteattr(p.severity)} expected={quoteattr(p.expected)}>"
        f"{escape(p.message)}</socle:problem>"
        for p in error.problems
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<{prefix}:Envelope xmlns:{prefix}="http://www.w3.org/2003/05/soap-envelope">'
        f"<{prefix}:Body><{prefix}:Fault><{prefix}:Code>"
        f"<{prefix}:Value>{prefix}:{error.mapped.soap}</{prefix}:Value>"
        f"<{prefix}:Subcode><{prefix}:Value>{prefix}:{escape(subcode or error.code)}"
        f"</{prefix}:Value></{prefix}:Subcode></{prefix}:Code>"
        f'<{prefix}:Reason><{prefix}:Text xml:lang="en">{escape(error.detail)}</{prefix}:Text>'
        f'</{prefix}:Reason><{prefix}:Detail xmlns:socle="urn:socle:error">{details}'
        f"</{prefix}:Detail></{prefix}:Fault></{prefix}:Body></{prefix}:Envelope>"
    ).encode()


def render_soap(error: DomainError, _correlation_id: str) -> Response:
    """SOAP 1.2 over HTTP sends faults with 500, or 400 for the sender's (Part 2 §7.4.2)."""
    status = error.status if error.status in (401, 403, 413, 503) else 500
    return Response(soap_fault(error), status, {**error.headers, "Content-Type": SOAP_12})


class Dialects:
    """Which renderer answers under which path; the longest prefix wins, JSON otherwise."""

    def __init__(self, by_prefix: Mapping[str, Renderer] | None = None) -> None:
        self._by_prefix = sorted((by_prefix or {}).items(), key=lambda item: -len(item[0]))

    def __call__(self, path: str) -> Renderer:
        renderer = self._of(path)

        def render(error: DomainError, correlation_id: str) -> Response:
            if isinstance(error, InjectedFault) and error.body != "protocol":
                return _of_a_broken_proxy(error)
            return renderer(error, correlation_id)

        return render

    def _of(self, path: str) -> Renderer:
        for prefix, renderer in self._by_prefix:
            if path.startswith(prefix):
                return renderer
        return render_json


def _of_a_broken_proxy(error: InjectedFault) -> Response:
    """What clients that expect their own protocol have to survive (spec: psc.md §6.1)."""
    body = f"<html><body><h1>{error.status}</h1></body></html>" if error.body == "html" else ""
    return Response(body, error.status, error.headers, "text/html" if body else None)
