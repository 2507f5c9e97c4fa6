"""The MLLP listeners as a resource of the service."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from services.mss.hl7v2.handling import Orders
from services.mss.hl7v2.mllp import Mllp
from services.mss.hl7v2.tls import listener_context
from services.mss.intake import Intake
from socle.pki import IssuingCa


@dataclass(frozen=True, slots=True)
class Ports:
    """`tls` is None where no TLS is spoken."""

    plain: int
    tls: int | None


@asynccontextmanager
async def mllp_servers(intake: Intake, authority: IssuingCa) -> AsyncIterator[Ports]:
    """They ask for no login, as no PFI does: hence their own address, loopback unless told."""
    settings = intake.settings
    orders = Orders(intake)
    listener = Mllp(
        orders.handle,
        orders.refuse,
        max_bytes=settings.max_body_bytes,
        max_held=settings.max_held_bytes,
        max_connections=settings.mss_max_connections,
        idle_seconds=settings.mss_mllp_idle_seconds,
    )
    host = settings.mss_mllp_host
    async with AsyncExitStack() as stack:
        plain = await stack.enter_async_context(listener.listening(host, settings.mss_mllp_port))
        tls = None
        if settings.mss_mllp_tls_port:
            context = listener_context(settings, authority)
            tls = await stack.enter_async_context(
                listener.listening(host, settings.mss_mllp_tls_port, context)
            )
        yield Ports(plain, tls)
