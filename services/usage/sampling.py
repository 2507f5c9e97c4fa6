"""Use case: a sample of the documents behind a figure; the same seed draws the same ones."""

import hashlib
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.usage import evidence_repository
from services.usage.counting import national_id
from services.usage.domain.attainments import Drawn
from services.usage.domain.evidence import reason_against
from services.usage.domain.measures import Beneficiary, Documents
from services.usage.domain.rules import Programme
from services.usage.evidence import closing
from socle.spaces import Space

PAGE = 10_000
JUDGED_AT_ONCE = 200


async def draw(
    session: AsyncSession,
    space: Space,
    rules: Programme,
    code: str,
    of: Beneficiary,
    window: str,
    seed: str,
    size: int,
) -> tuple[Drawn, ...] | None:
    """Of the documents that count for the indicator, in the order of a hash of seed and document. None
    for an indicator that counts no documents."""
    numerator = rules.indicators[code].numerator
    measure = numerator.measure if numerator else None
    if not isinstance(measure, Documents):
        return None
    period = rules.windows[window].period
    closes = closing(rules.counting, period)
    chains = await _chains(session, space, of, measure, rules, window)
    order = sorted(chains, key=lambda chain: hashlib.sha256(f"{seed} {chain}".encode()).digest())
    drawn: list[Drawn] = []
    for start in range(0, len(order), JUDGED_AT_ONCE):
        some = order[start : start + JUDGED_AT_ONCE]
        found = {
            it.chain_id: it for it in await evidence_repository.load(session, space.name, some)
        }
        for chain in some:
            document = found.get(chain)  # a recount may take the place of the tables in between
            if (
                document is None
                or reason_against(document, measure, rules.counting, period, closes) is not None
            ):
                continue
            drawn.append(Drawn(document=chain, unique_id=document.versions[-1].unique_id))
            if len(drawn) == size:
                return tuple(drawn)
    return tuple(drawn)


async def _chains(
    session: AsyncSession,
    space: Space,
    of: Beneficiary,
    measure: Documents,
    rules: Programme,
    window: str,
) -> list[UUID]:
    """Their numbers alone: a window may hold a million documents."""
    period = rules.windows[window].period
    found: list[UUID] = []
    while True:
        page = await evidence_repository.chains_between(
            session,
            space.name,
            of.number if of.kind == "structure" else None,
            national_id(of.number) if of.kind == "professional" else None,
            None if measure.types == "any" else measure.types,
            (period.starts_at, period.ends_at),
            found[-1] if found else None,
            PAGE,
        )
        found += page
        if len(page) < PAGE:
            return found
