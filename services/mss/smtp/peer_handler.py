"""What is decided of a peer: may this certificate bring mail of this domain, and for whom.

The certificate tells the space, as a token does for submission. aiosmtpd calls `handle_X` by name.
"""

import hashlib

from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as SmtpSession
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from services.mss import repository
from services.mss.certificate_login import as_presented, refuse_broken
from services.mss.domain import trust as rules
from services.mss.domain.envelope import Envelope as MailEnvelope
from services.mss.domain.envelope import ParameterError, Recipient
from services.mss.domain.mailboxes import normalised
from services.mss.domain.patient_rules import identities_of, is_patients
from services.mss.domain.report_parts import ascii_line
from services.mss.intake import refusal_by
from services.mss.settings import MssSettings
from services.mss.smtp.exchange import TRY_LATER, Exchange, parameter_reply, recipient_reply
from services.mss.tls import described_peer
from services.mss.transport.reception import Reception
from services.mss.trust import repository as trust
from services.mss.trust import service as trust_service
from socle.clock import wall
from socle.errors import DomainError
from socle.kernel import Kernel
from socle.logs import get_logger

log = get_logger("mss.peer")


class PeerHandler(Exchange):
    """One per connection of a peer."""

    def __init__(self, kernel: Kernel, settings: MssSettings, reception: Reception) -> None:
        super().__init__()
        self.kernel = kernel
        self.settings = settings
        self.reception = reception
        self.space = settings.default_space

    async def handle_EHLO(
        self,
        server: SMTP,
        session: SmtpSession,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        """Operators know one another by certificate: nobody logs in."""
        offered = [line for line in responses if not line.startswith("250-AUTH")]
        return await super().handle_EHLO(server, session, envelope, hostname, offered)

    async def handle_MAIL(
        self,
        server: SMTP,
        _session: SmtpSession,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        try:
            warned = await self._judge(normalised(address))
            reply = self.begin(server, envelope, address, options)
        except ParameterError as error:
            return parameter_reply(error)
        except DomainError as error:
            log.info("peer_refused", reason=error.code)
            if error.retriable:
                return TRY_LATER
            return f"550 5.7.1 {ascii_line(error.detail)}"
        except (SQLAlchemyError, OSError):
            return TRY_LATER
        return reply + (f" ({', '.join(warned)} only warned of)" if warned else "")

    async def _judge(self, sender: str) -> list[str]:
        """The rules that were broken and are only warned of; raises for those in force."""
        async with self.kernel.database.read() as session:
            fingerprint = hashlib.sha256(self.certificate).digest()
            found = await trust.find_certificate(session, fingerprint)
        if found is not None:
            self.space = found.space
        await self.kernel.spaces.get(self.space)  # seeded when it is new
        presented = as_presented(found) if found else described_peer(self.certificate)
        async with self.kernel.database.read() as session:
            listed = await self._listed(session, sender)
            modes = await trust_service.rules(
                session, self.space, trust_service.defaults_of(self.settings)
            )
        domain = rules.domain_of(sender) or "a report without a sender"
        problems = rules.judge(presented, domain, listed, wall())
        return [problem.rule for problem in refuse_broken(problems, modes)]

    async def _listed(self, session: AsyncSession, sender: str) -> list[str]:
        """The DNs of the sender's domain; a report names no sender: any operator may bring it."""
        if sender:
            return await trust.dns_of(session, self.space, rules.domain_of(sender))
        return [entry.dn for _, entry in await trust.list_domains(session, self.space)]

    async def refusal_of(self, address: str, size: int) -> str | None:
        """The operator's set answer, or what its mailbox says."""
        async with self.kernel.database.read() as session:
            answer = await trust.answer_for(session, self.space, rules.domain_of(address))
            known = await repository.get_mailboxes(session, self.space, [address])
            refusal = await refusal_by(session, self.space, address, known.get(address), size)
        if answer is not None:
            await self._tell("operator_refused", answer, address)
            return answer
        if refusal is None or (is_patients(address) and identities_of(address)):
            return None
        reply = recipient_reply(refusal)
        await self._tell(refusal.reason, reply, address)
        return reply

    async def _tell(self, reason: str, reply: str, address: str) -> None:
        """What the peer may try again it will, and its operator tells when it gives up."""
        if reply.startswith("5"):
            envelope = MailEnvelope(self.sender, (Recipient(address),))
            await self.tell_refused(envelope, reason, int(reply[:3]))

    async def tell_refused(self, envelope: MailEnvelope, reason: str, code: int) -> None:
        await self.reception.tell_refused(self.space, envelope, b"", reason, code)

    async def take(self, _server: SMTP, envelope: MailEnvelope, content: bytes) -> str:
        return str(await self.reception.receive(self.space, envelope, content))
