"""The way into an applicative mailbox: a TLS client certificate that is bound to it (SASL EXTERNAL).

BAL APP are opened by an ORG AUTH_CLI certificate of the IGC Santé, the user name being the address
of the mailbox (spec: mss.md §1.4).
"""

import hashlib

from services.mss import repository
from services.mss.domain import trust as rules
from services.mss.domain.mailboxes import normalised
from services.mss.service import Session
from services.mss.settings import MssSettings
from services.mss.trust import repository as trust
from services.mss.trust import service as trust_service
from services.mss.trust.repository import Stored
from socle.clock import wall
from socle.errors import unauthenticated
from socle.kernel import Kernel
from socle.logs import get_logger
from socle.problems import Problem

log = get_logger("mss.trust")


async def log_in_with_certificate(kernel: Kernel, certificate: bytes, user: str) -> Session:
    """`certificate` is the DER that TLS has verified; it tells the space. Without `user` (RFC 4422,
    appendix A: an empty authorization identity) it is the one mailbox that the certificate opens."""
    settings = kernel.settings
    assert isinstance(settings, MssSettings)
    async with kernel.database.read() as session:
        found = await trust.find_certificate(session, hashlib.sha256(certificate).digest())
        if found is None or found.purpose != "auth_cli":
            raise unauthenticated(
                "certificate_unbound", "This certificate is bound to no mailbox of this sandbox."
            )
        modes = await trust_service.rules(session, found.space, trust_service.defaults_of(settings))
        addresses = await trust.bound_to(session, found.id)
        known = await repository.get_mailboxes(session, found.space, addresses)
    await kernel.spaces.get(found.space)
    refuse_broken(rules.validity(as_presented(found), wall()), modes)
    boxes = [box for box in known.values() if box.active]
    wanted = [box for box in boxes if box.address == normalised(user) or not user]
    if len(wanted) != 1:
        raise unauthenticated(
            "mailbox_not_bound", "This certificate opens no such mailbox, or several: name one."
        )
    return Session(None, found.space, wanted[0], tuple(box.address for box in boxes))


def as_presented(stored: Stored) -> rules.Certificate:
    return rules.Certificate(stored.subject, stored.not_before, stored.not_after, stored.revoked_at)


def refuse_broken(problems: list[Problem], modes: dict[str, rules.Mode]) -> list[Problem]:
    """The refusal names every rule that this space enforces; the rest is given back."""
    refused = [problem for problem in problems if modes[problem.rule] == "enforce"]
    warned = [problem for problem in problems if modes[problem.rule] == "warn"]
    for problem in warned:
        log.warning("trust_rule_broken", rule=problem.rule)
    if refused:
        detail = "; ".join(f"{problem.rule}: {problem.message}" for problem in refused)
        error = unauthenticated("trust_rule", detail)
        error.problems = tuple(refused)
        raise error
    return warned
