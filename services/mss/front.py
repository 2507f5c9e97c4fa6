"""What speaks mail with clients and peers, in this process or in a further one: SMTP and IMAP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.mss.changes import Changes
from services.mss.chaos import MailFaults
from services.mss.hot.way import plain_way
from services.mss.imap.server import imap_server
from services.mss.intake import Intake
from services.mss.listening import Address, Sockets
from services.mss.patients import PatientDirectory
from services.mss.settings import MssSettings
from services.mss.smtp.server import peer_server, smtp_server
from services.mss.tls import server_context
from services.mss.transport.reception import Reception
from socle.ins_client import InsClient
from socle.kernel import Kernel
from socle.pki import IssuingCa


@dataclass(frozen=True, slots=True)
class Addresses:
    """`smtps` and `imaps` are nowhere where no port is set for them."""

    smtp: Address
    imap: Address
    peer: Address
    smtps: Address
    imaps: Address


@dataclass(frozen=True, slots=True)
class Front:
    intake: Intake
    changes: Changes
    smtp: Sockets
    imap: Sockets
    peer: Sockets
    smtps: Sockets
    imaps: Sockets


def addresses_of(settings: MssSettings) -> Addresses:
    return Addresses(
        Address(settings.host, settings.mss_smtp_port),
        Address(settings.host, settings.mss_imap_port),
        Address(settings.host, settings.mss_peer_port),
        Address(settings.host, settings.mss_smtps_port or None, implicit_tls=True),
        Address(settings.host, settings.mss_imaps_port or None, implicit_tls=True),
    )


@asynccontextmanager
async def front_of(
    kernel: Kernel, settings: MssSettings, authority: IssuingCa, addresses: Addresses
) -> AsyncIterator[Front]:
    """Takes mail while the block runs."""
    tls = server_context(settings, authority)
    changes, faults = Changes(kernel.database), MailFaults(kernel)
    async with (
        changes.listening(),
        InsClient(settings, settings.mss_ins_timeout_seconds) as ins,
        plain_way(kernel.database, settings) as plain,
    ):
        patients = PatientDirectory(kernel, ins)
        intake = Intake(kernel, settings, patients, plain)
        reception = Reception(kernel, settings, patients)
        async with (
            smtp_server(kernel, settings, tls, intake, faults, addresses.smtp) as smtp,
            imap_server(kernel, settings, tls, changes, faults, addresses.imap) as imap,
            peer_server(kernel, settings, tls, reception, addresses.peer) as peer,
            smtp_server(kernel, settings, tls, intake, faults, addresses.smtps) as smtps,
            imap_server(kernel, settings, tls, changes, faults, addresses.imaps) as imaps,
        ):
            yield Front(intake, changes, smtp, imap, peer, smtps, imaps)
