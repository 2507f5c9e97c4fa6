"""Which recipients another operator serves."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from services.mss.domain.patient_rules import is_patients
from services.mss.domain.trust import domain_of
from services.mss.trust import repository
from services.mss.trust.seed import OWN


@dataclass(frozen=True, slots=True)
class Route:
    """`operator` sends, for `abroad`; everybody else is served where the sender is."""

    operator: str
    abroad: frozenset[str]


async def route(session: AsyncSession, space: str, sender: str, recipients: Iterable[str]) -> Route:
    """By the whitelist. A domain that is not in it is served here; patients always are. A sender
    whose domain is not listed goes out by the sandbox's own operator, for the peer to judge."""
    home = domain_of(sender)
    foreign = {
        address: domain_of(address)
        for address in recipients
        if domain_of(address) != home and not is_patients(address)
    }
    if not foreign:
        return Route("", frozenset())
    operators = await repository.operators_of(session, space, [home, *foreign.values()])
    own = operators.get(home, OWN)
    return Route(
        own,
        frozenset(
            address for address, domain in foreign.items() if operators.get(domain, own) != own
        ),
    )
