"""How mail software finds the servers by itself: DNS records, and a file for Thunderbird and others."""

from typing import Annotated
from xml.sax.saxutils import escape

from fastapi import APIRouter, Query, Request, Response

from services.mss.domain.mailboxes import DOMAIN
from services.mss.settings import MssSettings
from services.mss.trust import repository
from services.mss.trust import seed as seeded
from socle.auth.dependencies import RequestSpace, kernel_of
from socle.db.sessions import ReadSession
from socle.errors import Category, DomainError

router = APIRouter(tags=["auto-configuration"])
TTL = 3600
# RFC 6186 §3.4: a target of "." says that the service is not offered.
_ABSENT = ("_pop3", "_pop3s")


@router.get("/_sandbox/mss/autoconfig/zone", response_class=Response)
async def zone(request: Request, space: RequestSpace, session: ReadSession) -> Response:
    """A fragment of a DNS zone for the sandbox's own domains (ECO.1.1.9, RFC 6186)."""
    listed = await repository.list_domains(session, space.name)
    domains = sorted({entry.domain for operator, entry in listed if operator == seeded.OWN})
    lines = [line for domain in domains for line in _records(request, domain)]
    return Response("\n".join(lines) + "\n", media_type="text/dns")


@router.get("/.well-known/autoconfig/mail/config-v1.1.xml", response_class=Response)
async def thunderbird(
    request: Request,
    emailaddress: Annotated[str, Query(max_length=320)] = f"x@{seeded.DOMAIN}",
) -> Response:
    """Mozilla's ISP configuration; ours, no MSSanté text names it."""
    domain = emailaddress.rpartition("@")[2].lower()
    if not DOMAIN.fullmatch(domain):
        raise DomainError(
            Category.NOT_FOUND, "domain_unknown", "This is no domain of the trust space."
        )
    host, state = _settings(request).mss_hostname, request.app.state
    return Response(
        _CONFIGURATION.format(
            domain=escape(domain), host=escape(host), smtp=state.smtp_port, imap=state.imap_port
        ),
        media_type="text/xml",
    )


def _records(request: Request, domain: str) -> list[str]:
    settings = _settings(request)
    offered = {
        "_submission": request.app.state.smtp_port,
        "_imap": request.app.state.imap_port,
        "_submissions": settings.mss_smtps_port,
        "_imaps": settings.mss_imaps_port,
        **dict.fromkeys(_ABSENT, 0),
    }
    host = settings.mss_hostname
    return [
        f"{name}._tcp.{domain}. {TTL} IN SRV " + (f"0 1 {port} {host}." if port else "0 0 0 .")
        for name, port in offered.items()
    ]


def _settings(request: Request) -> MssSettings:
    settings = kernel_of(request).settings
    assert isinstance(settings, MssSettings)
    return settings


_CONFIGURATION = """<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="{domain}">
    <domain>{domain}</domain>
    <displayName>MSSanté (Socle)</displayName>
    <incomingServer type="imap">
      <hostname>{host}</hostname>
      <port>{imap}</port>
      <socketType>STARTTLS</socketType>
      <username>%EMAILADDRESS%</username>
      <authentication>OAuth2</authentication>
    </incomingServer>
    <outgoingServer type="smtp">
      <hostname>{host}</hostname>
      <port>{smtp}</port>
      <socketType>STARTTLS</socketType>
      <username>%EMAILADDRESS%</username>
      <authentication>OAuth2</authentication>
    </outgoingServer>
  </emailProvider>
</clientConfig>
"""
