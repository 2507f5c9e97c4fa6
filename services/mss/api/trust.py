"""What the trust space publishes: the whitelist and the list of revoked certificates."""

from typing import Annotated, cast

from fastapi import APIRouter, Header, Request, Response

from services.mss.trust import repository, service
from services.mss.trust.authority import CRL_PATH, Authority
from socle.auth.dependencies import RequestSpace
from socle.db.sessions import ReadSession

router = APIRouter(tags=["trust space"])
WHITELIST = "listeblanchemssante.xml"


def authority_in(request: Request) -> Authority:
    return cast(Authority, request.app.state.authority)


@router.get(f"/{WHITELIST}", response_class=Response)
@router.get(f"/mss/{WHITELIST}", response_class=Response)
async def read_whitelist(
    request: Request,
    space: RequestSpace,
    session: ReadSession,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """The signed whitelist of the space, also at the path of espacedeconfiance.mssante.fr."""
    version = await repository.get_version(session, space.name)
    tag = f'"{version[0]}-{int(version[1].timestamp())}"' if version else '"0"'
    if if_none_match == tag:
        return Response(status_code=304, headers={"ETag": tag})
    content = await service.sealed_whitelist(session, space, authority_in(request))
    return Response(content, media_type="application/xml", headers={"ETag": tag})


@router.get(CRL_PATH, response_class=Response)
@router.get(f"/mss{CRL_PATH}", response_class=Response)
async def read_revocation_list(
    request: Request, space: RequestSpace, session: ReadSession
) -> Response:
    """The CRL, DER, at the path of igc-sante.esante.gouv.fr: what the space has revoked."""
    revoked = await repository.list_revoked(session, space.name)
    content = await authority_in(request).revocation_list(revoked)
    return Response(content, media_type="application/pkix-crl")
