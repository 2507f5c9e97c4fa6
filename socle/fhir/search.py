"""What every FHIR search shares: where its parameters stand, page sizes, links (FHIR R4 §3.1.1)."""

from collections.abc import Collection, Sequence
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request

Parameters = Sequence[tuple[str, str]]


async def posted_parameters(request: Request) -> list[tuple[str, str]]:
    """Of `_search` by POST: those of the URL, then those of the form."""
    form = parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
    return [*request.query_params.multi_items(), *form]


def applied(parameters: Parameters, ignored: Collection[str]) -> list[tuple[str, str]]:
    """Those that were used: `self` tells the client which were not (§3.1.1.2)."""
    return [(name, value) for name, value in parameters if name not in ignored]


def search_link(base: str, kind: str, parameters: Parameters) -> str:
    return f"{base}/{kind}?{urlencode(parameters, safe=':|.,')}"


def page_links(
    base: str, kind: str, parameters: Parameters, next_cursor: str | None
) -> dict[str, str]:
    """`self`, and `next` where there is more."""
    links = {"self": search_link(base, kind, parameters)}
    if next_cursor is not None:
        rest = [item for item in parameters if item[0] != "_cursor"]
        links["next"] = search_link(base, kind, [*rest, ("_cursor", next_cursor)])
    return links


def page_size(value: str, most: int) -> int | None:
    """Of `_count`; None where it is none."""
    # Nine digits are beyond any page, and short enough for int() whatever a client sends.
    size = int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else 0
    return min(size, most) if size else None
