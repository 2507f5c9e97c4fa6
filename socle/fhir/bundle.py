"""Bundles of search results (FHIR R4 §3.1.1)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any


def searchset(
    resources: Sequence[Mapping[str, Any]],
    base: str,
    total: int | None,
    links: Mapping[str, str],
    searches: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """`searches` holds the `search` element of each resource, where it is more than a match.

    `total` is None where counting would take too long, which FHIR allows.
    """
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
    if total is not None:
        bundle["total"] = total
    if links:
        bundle["link"] = [{"relation": name, "url": url} for name, url in links.items()]
    if resources:  # an empty array is not allowed in FHIR JSON
        bundle["entry"] = [
            {
                "fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}",
                "resource": resource,
                "search": searches[index] if searches else {"mode": "match"},
            }
            for index, resource in enumerate(resources)
        ]
    return bundle


def instant(at: datetime) -> str:
    """A FHIR instant, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
