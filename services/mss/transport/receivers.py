"""Whom mail is handed to: the certificate that the receiving operator presents, and whether it is one of
the recipient's domain.

All receivers of the sandbox are one listener (smtp/server.py), with a certificate of its own. For a courier
that checks them there is another, of this process alone: by SNI it is told which operator is meant, and
presents that operator's certificate.
"""

import asyncio
import hashlib
import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from services.mss.certificate_login import as_presented
from services.mss.domain import trust as rules
from services.mss.domain.trust import RECEIVER, Mode
from services.mss.listening import Address, port_of
from services.mss.patients import PatientDirectory
from services.mss.settings import MssSettings
from services.mss.smtp.server import peer_server
from services.mss.tls import described_peer, server_context
from services.mss.transport.peer import Refused, Reply
from services.mss.transport.reception import Reception
from services.mss.trust import repository
from services.mss.trust import service as trust
from services.mss.trust.authority import Authority
from services.mss.trust.repository import Stored
from socle.clock import wall
from socle.kernel import Kernel
from socle.logs import get_logger

KEPT = 64
LOOPBACK = "127.0.0.1"
UNTRUSTED = "4.7.5"
"""As mail servers put off what they may not encrypt for: the list or the certificate may be mended."""

log = get_logger("mss.receivers")


@dataclass
class Presenting:
    """The certificates that the listener has at hand, by the name that SNI asks for."""

    _contexts: "OrderedDict[str, ssl.SSLContext]" = field(default_factory=OrderedDict)

    def serve(self, listener: ssl.SSLContext) -> None:
        """Whoever names nobody that is known gets the listener's own certificate."""

        def chosen(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            found = self._contexts.get(name or "")
            if found is not None:
                connection.context = found

        listener.sni_callback = chosen

    async def ready(self, settings: MssSettings, authority: Authority, stored: Stored) -> str:
        """The name under which it is presented from now on."""
        name = f"{stored.id.hex}.operator.invalid"
        if name not in self._contexts:
            made = await asyncio.to_thread(server_context, settings, authority.ca, stored)
            self._contexts[name] = made
            if len(self._contexts) > KEPT:
                self._contexts.popitem(last=False)
        return name


@dataclass(frozen=True)
class Receivers:
    kernel: Kernel
    settings: MssSettings
    authority: Authority
    presenting: Presenting
    port: int
    """Of the listener that presents them, on loopback."""

    async def mode(self, space: str) -> Mode:
        async with self.kernel.database.read() as session:
            modes = await trust.rules(session, space, trust.defaults_of(self.settings))
        return modes[RECEIVER]

    async def name_of(self, space_name: str, domain: str) -> str:
        """What to ask for by SNI; the listener's own name where no operator has this domain."""
        space = await self.kernel.spaces.get(space_name)
        async with self.kernel.database.write() as session:
            operators: Mapping[str, str] = await repository.operators_of(
                session, space.name, [domain]
            )
            if domain not in operators:
                return self.settings.mss_hostname
            stored = await trust.presented_by(session, space, self.authority, operators[domain])
        return await self.presenting.ready(self.settings, self.authority, stored)

    async def judge(self, space: str, domain: str, presented: bytes, mode: Mode) -> None:
        """Raises Refused where the rule is broken and in force."""
        async with self.kernel.database.read() as session:
            found = await repository.find_certificate(session, hashlib.sha256(presented).digest())
            listed = await repository.dns_of(session, space, domain)
        certificate = as_presented(found) if found else described_peer(presented)
        problems = rules.judge_receiver(certificate, domain, listed, wall())
        if problems and mode == "warn":
            log.warning("trust_rule_broken", rule=RECEIVER)
        elif problems:
            told = "; ".join(problem.message for problem in problems)
            raise Refused(Reply(451, f"{UNTRUSTED} {RECEIVER}: {told}"))


@asynccontextmanager
async def receivers_of(
    kernel: Kernel, settings: MssSettings, authority: Authority, patients: PatientDirectory
) -> AsyncIterator[Receivers]:
    """Listens while the block runs."""
    presenting, tls = Presenting(), server_context(settings, authority.ca)
    presenting.serve(tls)
    reception = Reception(kernel, settings, patients)
    async with peer_server(kernel, settings, tls, reception, Address(LOOPBACK, 0)) as sockets:
        yield Receivers(kernel, settings, authority, presenting, port_of(sockets))
