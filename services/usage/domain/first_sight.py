"""Facts that meet no other fact which is stored: what they add to the sums needs no look at the tables.

In a log that is counted from its beginning, nine facts in ten are such. Which ones is told by a
filter of what has been stored so far (Bloom, 1970): it may take a new fact for a known one, which is then
counted by looking, never a known one for a new one.
"""

from services.usage.domain.contributions import (
    Affected,
    Deltas,
    contributions,
    count_act,
    count_occurrence,
    count_version,
)
from services.usage.domain.facts import (
    RECEIVED,
    SENT,
    Act,
    ActKey,
    ChainKey,
    Facts,
    Known,
    Version,
)

FILTER_BITS = 30
"""128 MiB, of which only what is written is taken: one false alarm in six hundred after ten million events,
one in nine after a hundred million."""
LINE_BITS = 512
MAX_KEY_BYTES = 2400
"""Of a key that surely fits into an index of PostgreSQL, whose own limit is 2,704."""

_CHAIN, _REFERENCE, _LINKED, _NUMBER = range(4)


class FirstSight:
    """Which facts share no key with those of an earlier batch; facts of one batch may share them.

    A Bloom filter of two bits a key, both in one line of the processor's cache: what it costs is to
    fetch those. Python's own hash of a tuple of texts is of 64 well mixed bits.
    """

    def __init__(self, bits: int = FILTER_BITS) -> None:
        self._bits = bytearray(1 << (bits - 3))
        self._mask = (1 << bits) - 1
        self._line = self._mask & (LINE_BITS - 1)
        self._batch: list[int] = []

    def takes(self, facts: Facts) -> bool:
        """Those of one event: all of them, or none."""
        told, asked = _keys(facts)
        bits, mask, line = self._bits, self._mask, self._line
        for it in asked:
            # The second bit is looked at where the first one is set, which it seldom is.
            place = it & mask
            if bits[place >> 3] >> (place & 7) & 1:
                place ^= it >> 32 & line
                if bits[place >> 3] >> (place & 7) & 1:
                    return False
        self._batch += told
        return True

    def told(self) -> None:
        """The batch goes to the tables: from now on its facts are known. If it does not get there after
        all, they are looked for in vain."""
        bits, mask, line = self._bits, self._mask, self._line
        for it in self._batch:
            one = it & mask
            other = one ^ (it >> 32 & line)
            bits[one >> 3] |= 1 << (one & 7)
            bits[other >> 3] |= 1 << (other & 7)
        self._batch.clear()

    def forgotten(self) -> None:
        """The batch is not to be stored."""
        self._batch.clear()


def _keys(facts: Facts) -> tuple[list[int], list[int]]:
    """Hashes of the keys by which other facts may meet these, and of those by which these may meet others.

    A document and an act meet by a link alone, of which either end may be there first; acts of one
    number meet nothing by that, for every structure counts from one.
    """
    if not facts.links and not facts.cancellations and not facts.withdrawals:
        # Nearly every event says one of these three alone.
        versions, acts, occurrences = facts.versions, facts.acts, facts.occurrences
        if len(versions) == 1 and not acts and not occurrences:
            version = versions[0]
            space = version.space
            only = [
                hash((_CHAIN, space, version.chain_id)),
                hash((_REFERENCE, space, version.unique_id)),
            ]
            return only, only
        if len(acts) == 1 and not versions and not occurrences:
            act = acts[0]
            space, act_id = act.space, act.act_id
            key = hash((space, act.kind, act.owner, act_id))
            return [key, hash((_NUMBER, space, act_id))], [key, hash((_LINKED, space, act_id))]
    both = [hash((_CHAIN, it.space, it.chain_id)) for it in facts.versions]
    both += [hash((_REFERENCE, it.space, it.unique_id)) for it in facts.versions]
    both += [hash((_CHAIN, it.space, it.chain_id)) for it in facts.withdrawals]
    for occurrence in facts.occurrences:
        both.append(hash(occurrence[:3]))
        if occurrence.kind in (SENT, RECEIVED):
            both.append(hash((_REFERENCE, occurrence.space, f"message:{occurrence.key}")))
    keys = [it.key for it in facts.acts]
    keys += [it.key for it in facts.cancellations]
    if not keys and not facts.links:
        return both, both
    both += [hash(key) for key in keys]
    both += [hash((_REFERENCE, it.space, it.reference)) for it in facts.links]
    linked = [hash((_LINKED, it.space, it.act_id)) for it in facts.links]
    told = [*both, *linked, *(hash((_NUMBER, it.space, it.act_id)) for it in keys)]
    asked = [*both, *linked, *(hash((_LINKED, it.space, it.act_id)) for it in keys)]
    asked += [hash((_NUMBER, it.space, it.act_id)) for it in facts.links]
    return told, asked


def count_first(facts: Facts) -> tuple[Facts, Deltas]:
    """Facts as they are to be stored, each once, and what they add, when no other of their keys is stored.

    What meets nothing in the batch either is counted straight; the rest as always.
    Raises ValueError for a sum whose key might not fit into its index.
    """
    deltas = Deltas()
    versions, met = _unmet_versions(facts)
    for version in versions:
        count_version(deltas, version)
    acts, met.acts = _unmet_acts(facts)
    for act in acts:
        count_act(deltas, act)
    met.withdrawals, met.cancellations, met.links = (
        facts.withdrawals,
        facts.cancellations,
        facts.links,
    )
    met.occurrences = facts.occurrences
    known = Known()
    new = known.add(met)
    further = contributions(known, _affected(met))
    for bucket, (latest, first) in further.items():
        if sum(len(part.encode()) for part in bucket[:6]) > MAX_KEY_BYTES:
            raise ValueError("the key of a daily sum is too long")
        deltas.count(bucket, 0, latest)
        deltas.count(bucket, 1, first)
    new.versions += versions
    new.acts += acts
    new.occurrences = list({it[:3]: it for it in facts.occurrences}.values())
    for occurrence in new.occurrences:
        count_occurrence(deltas, occurrence)
    new.listed, new.totals, new.attestations = facts.listed, facts.totals, facts.attestations
    return new, deltas


def _unmet_versions(facts: Facts) -> tuple[list[Version], Facts]:
    """Alone in their chain and of no act; and those that are not."""
    linked = {(it.space, it.reference) for it in facts.links}
    met: set[ChainKey] = {(it.space, it.chain_id) for it in facts.withdrawals}
    single: dict[ChainKey, Version] = {}
    for it in facts.versions:
        key = (it.space, it.chain_id)
        if key in single or (linked and (it.space, it.unique_id) in linked):
            met.add(key)
        else:
            single[key] = it
    if not met:
        return facts.versions, Facts()
    alone = [it for key, it in single.items() if key not in met]
    return alone, Facts(versions=[it for it in facts.versions if (it.space, it.chain_id) in met])


def _unmet_acts(facts: Facts) -> tuple[list[Act], list[Act]]:
    """Declared once, not cancelled and without documents or messages; and those that are not."""
    linked = {(it.space, it.act_id) for it in facts.links}
    met: set[ActKey] = {it.key for it in facts.cancellations}
    single: dict[ActKey, Act] = {}
    for it in facts.acts:
        key = it.key
        if key in single or (linked and (it.space, it.act_id) in linked):
            met.add(key)
        else:
            single[key] = it
    if not met:
        return facts.acts, []
    alone = [it for key, it in single.items() if key not in met]
    return alone, [it for it in facts.acts if it.key in met]


def _affected(facts: Facts) -> Affected:
    chains: set[ChainKey] = {(it.space, it.chain_id) for it in facts.versions}
    act_ids = {(it.space, it.act_id) for it in facts.acts}
    act_ids |= {(it.space, it.act_id) for it in facts.links}
    return Affected(chains, act_ids)
