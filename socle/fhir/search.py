"""What every FHIR search shares: where its parameters stand, page sizes, links (FHIR R4 §3.1.1)."""

from collections.abc import Collection, Sequence
from typing import Annotated, TypeAlias
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends
from starlette.requests import Request

from socle.errors import Category, DomainError
from socle.fhir.messages import media_type

FORM = "application/x-www-form-urlencoded"
Parameters = Sequence[tuple[str, str]]


async def search_parameters(request: Request) -> list[tuple[str, str]]:
    """Of a search by GET those of the URL; of `_search` by POST, then those of the form.

    By POST no INS and no trait stands in a URL. A body in another form is refused: its criteria would be
    left out, and everything found.
    """
    if request.method != "POST":
        return request.query_params.multi_items()
    body = await request.body()
    given = media_type(request.headers.get("content-type", ""))
    if body and given not in ("", FORM):
        raise DomainError(
            Category.INCORRECT,
            "media_type",
            f"Content-Type is {given[:80]}; a search by POST is {FORM}.",
            status=415,
        )
    form = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    return [*request.query_params.multi_items(), *form]


SearchParameters: TypeAlias = Annotated[list[tuple[str, str]], Depends(search_parameters)]


def applied(parameters: Parameters, ignored: Collection[str]) -> list[tuple[str, str]]:
    """Those that were used: `self` tells the client which were not (§3.1.1.2)."""
    return [(name, value) for name, value in parameters if name not in ignored]


def search_link(base: str, kind: str, parameters: Parameters) -> str:
    path = f"{base}/{kind}" if kind else base  # without one, of the server
    return f"{path}?{urlencode(parameters, safe=':|.,')}"


def page_links(
    base: str,
    kind: str,
    parameters: Parameters,
    next_cursor: str | None,
    *,
    cursor: str = "_cursor",
) -> dict[str, str]:
    """`self`, and `next` where there is more; `cursor` is the parameter that says from where."""
    links = {"self": search_link(base, kind, parameters)}
    if next_cursor is not None:
        rest = [item for item in parameters if item[0] != cursor]
        links["next"] = search_link(base, kind, [*rest, (cursor, next_cursor)])
    return links


def page_size(value: str, most: int) -> int | None:
    """Of `_count`; None where it is none."""
    # Nine digits are beyond any page, and short enough for int() whatever a client sends.
    size = int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else 0
    return min(size, most) if size else None
