"""Counts facts: once each, whatever is heard twice, late or in another order.

What a batch may touch is loaded, its part of the daily sums worked out before and after, and the
difference added to them, in the transaction that stores the facts.
"""

from collections import Counter

from services.usage.domain.contributions import (
    Affected,
    contributions,
    count_occurrence,
)
from services.usage.domain.facts import (
    RECEIVED,
    SENT,
    ChainKey,
    Facts,
    Known,
    Link,
)
from services.usage.facts_repository import FactStore, lock_spaces
from socle.db.database import WriteSession
from socle.logs import get_logger

Pairs = set[tuple[str, str]]
MAX_LINKS = 500
"""Documents and messages of one act; what comes beyond them counts, though not as the act's."""
log = get_logger("usage.tally")


async def count_facts(session: WriteSession, facts: Facts) -> None:
    """Into what is counted, where the spaces of the facts wait for no other count until the commit."""
    spaces = facts.spaces
    if spaces:
        await lock_spaces(session, spaces)
        await count_into(FactStore(session), facts)


async def count_into(store: FactStore, facts: Facts) -> None:
    await store.look_up_by_index()
    known, affected = await _load(store, facts)
    before = contributions(known, affected)
    there = known.size
    new = known.add(facts)
    replaces = known.size - there < len(new.versions) + len(new.acts)
    deltas = contributions(known, affected).minus(before)
    new.occurrences = await store.new_occurrences(facts.occurrences)
    for occurrence in new.occurrences:
        count_occurrence(deltas, occurrence)
    await store.store(new, replaces=replaces)
    await store.add(deltas)


async def _load(store: FactStore, facts: Facts) -> tuple[Known, Affected]:
    """Everything that decides what the facts change, and what that may be."""
    known = Known()
    chains: set[ChainKey] = {(it.space, it.chain_id) for it in facts.versions}
    chains |= {(it.space, it.chain_id) for it in facts.withdrawals}
    await store.load_chains(known, chains)

    # Documents that an act of this batch has, whichever told of it.
    act_ids: Pairs = {(it.space, it.act_id) for it in facts.acts}
    act_ids |= {(it.key.space, it.key.act_id) for it in facts.cancellations}
    act_ids |= {(it.space, it.act_id) for it in facts.links}
    await store.load_links(known, act_ids=act_ids)
    facts.links = bounded(known, facts.links)
    references = {(it.space, it.reference) for it in (*known.links, *facts.links)}
    linked = await store.find_chains(references)
    await store.load_chains(known, linked - chains)
    chains |= linked

    # Other acts that those documents and messages belong to.
    references = {
        (version.space, version.unique_id)
        for key in chains
        if (chain := known.chains.get(key)) is not None
        for version in chain.versions.values()
    }
    references |= {(it.space, it.unique_id) for it in facts.versions}
    references |= {
        (it.space, f"message:{it.key}") for it in facts.occurrences if it.kind in (SENT, RECEIVED)
    }
    await store.load_links(known, references=references)
    further = {(it.space, it.act_id) for it in known.links} - act_ids
    act_ids |= further
    if act_ids:
        await _load_members(store, known, further, act_ids, facts, chains)
    return known, Affected(chains, act_ids)


def bounded(known: Known, links: list[Link]) -> list[Link]:
    """Software that gives all its documents one number would have every count look at all of them."""
    counts = Counter((it.space, it.act_id) for it in known.links)
    kept = []
    for link in links:
        key = (link.space, link.act_id)
        if link in known.links or counts[key] < MAX_LINKS:
            counts[key] += link not in known.links
            kept.append(link)
    if len(kept) < len(links):
        log.warning("links_left_out", links=len(links) - len(kept), most=MAX_LINKS)
    return kept


async def _load_members(
    store: FactStore,
    known: Known,
    further: Pairs,
    act_ids: Pairs,
    facts: Facts,
    chains: set[ChainKey],
) -> None:
    """The acts, and all that belongs to each of them: one document more may change nothing."""
    await store.load_links(known, act_ids=further)
    links = known.links | set(facts.links)
    members = await store.find_chains({(it.space, it.reference) for it in links})
    await store.load_chains(known, members - chains)
    linked = {(it.space, it.act_id) for it in links}
    await store.load_acts(known, act_ids & linked)
    told = {act.key for act in facts.acts} | {it.key for it in facts.cancellations}
    await store.load_own_acts(known, [key for key in told if (key.space, key.act_id) not in linked])
    await store.load_messages(
        known,
        {
            (it.space, it.reference.removeprefix("message:"))
            for it in links
            if it.reference.startswith("message:")
        },
    )
