"""Forms of the sandbox's own pages are taken from those pages only.

The control plane knows no password, so a page of another origin could post to it in a visitor's
browser. Browsers say where a post comes from (Fetch Metadata; before that, Origin); programs that
are no browser say nothing and are let through.
"""

from urllib.parse import urlsplit

from fastapi import Depends, Request

from socle.errors import Category, DomainError


async def _same_site_only(request: Request) -> None:
    if not _is_own(request):
        raise DomainError(
            Category.FORBIDDEN,
            "cross_site_form",
            "This form was sent by a page of another origin; open Socle's own page and send it there.",
        )


def _is_own(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    if origin is None:
        return True
    host = request.headers.get("x-forwarded-host") or request.headers.get("host")
    return urlsplit(origin).netloc == host


same_site_only = Depends(_same_site_only)
