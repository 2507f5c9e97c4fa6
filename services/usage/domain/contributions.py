"""What facts add to the daily buckets: pure, so that any order of the same facts gives the same sums.

A bucket has two days: the day of the act, by which periods select, and the day on which the change
was known (never before the act), by which a closed period stays as it was (spec: usage.md §14). A
registration adds one on its day; a replacement takes that one away and adds its own on a later day; a
deletion takes away. Whoever sums what was known before the end of a period has the latest approved
versions of that moment. `first` holds the same with the first version instead of the latest.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from services.usage.domain.facts import (
    SENT,
    Act,
    ActKey,
    Chain,
    ChainKey,
    Known,
    Occurrence,
    Version,
)
from socle.clock import PARIS

EVERYBODY = "*"
MAX_TRAITS = 1500
Value = TypeVar("Value")
# What is the case from each day on; None means nothing. Days ascend.
Steps = list[tuple[date, Value | None]]
# Kind and traits of the bucket that it counts in.
State = tuple[str, str]


class Bucket(NamedTuple):
    """The key of a daily sum. `traits` is words between spaces, sorted."""

    space: str
    measure: str
    subject: str
    kind: str
    domain: str
    traits: str
    act_day: date
    known_day: date


class Deltas(dict[Bucket, list[int]]):
    """Bucket → [latest, first]."""

    def count(self, bucket: Bucket, basis: int, amount: int) -> None:
        there = self.get(bucket)
        if there is None:
            there = self[bucket] = [0, 0]
        there[basis] += amount

    def count_one(
        self,
        space: str,
        measure: str,
        whom: Iterable[str],
        state: State,
        domain: str,
        days: tuple[date, date],
        amount: int = 1,
    ) -> None:
        """What most facts are: one more for each of these, whichever version decides."""
        kind, traits = state
        act_day, known_day = days
        for subject in whom:
            # As a plain tuple, which is equal to the bucket and made in a third of the time.
            bucket = (space, measure, subject, kind, domain, traits, act_day, known_day)
            there = self.get(bucket)  # type: ignore[call-overload]
            if there is None:
                self[bucket] = [amount, amount]  # type: ignore[index]
            else:
                there[0] += amount
                there[1] += amount

    def minus(self, other: "Deltas") -> "Deltas":
        """What changes from `other` to this."""
        if not other:
            return self
        for bucket, (latest, first) in other.items():
            self.count(bucket, 0, -latest)
            self.count(bucket, 1, -first)
        return Deltas({bucket: sums for bucket, sums in self.items() if sums[0] or sums[1]})


WHOLE_HOURS_FROM = 1980
FAR = 9000
BEFORE_MIDNIGHT = 22
"""UTC, in summer; until then Paris has the same day."""


def paris_day(instant: datetime) -> date:
    if WHOLE_HOURS_FROM <= instant.year < FAR:
        if instant.tzinfo is UTC and instant.hour < BEFORE_MIDNIGHT:
            return instant.date()
        return _day_of_hour(int(instant.timestamp()) // 3600)
    try:
        return instant.astimezone(PARIS).date()
    except OverflowError:  # at the ends of the calendar, where no period is
        return instant.date()


@lru_cache(maxsize=10_000)
def _day_of_hour(hours: int) -> date:
    """Hours since the epoch. In our times midnight in Paris is always at a whole hour of UTC."""
    return datetime.fromtimestamp(hours * 3600, PARIS).date()


def subjects(structure: str, professional: str) -> list[str]:
    """Whom something counts for; an author without a structure is seen in quarantine, under ''."""
    found = [EVERYBODY, structure]
    if professional:
        found.append(f"ps:{professional}")
    return found


class Affected(NamedTuple):
    """What a batch may change."""

    chains: Iterable[ChainKey]
    act_ids: Iterable[tuple[str, str]]


def contributions(known: Known, affected: Affected) -> Deltas:
    deltas = Deltas()
    links = known.links_by_reference() if known.links else {}
    for key in affected.chains:
        chain = known.chains.get(key)
        if chain is not None and chain.versions:
            _add_chain(deltas, known, chain, links)
    act_ids = set(affected.act_ids)
    if act_ids:
        _add_acts(deltas, known, act_ids, links)
    return deltas


def live_versions(chain: Chain) -> list[Version]:
    """Those registered before the deletion, oldest first."""
    versions = chain.ordered
    if chain.withdrawn_at is None:
        return versions
    return [it for it in versions if it.registered_at < chain.withdrawn_at]


def version_steps(chain: Chain, basis: int) -> Steps[Version]:
    """Which version decides, from each day on."""
    versions = live_versions(chain)
    if not versions:
        return []
    decisive = versions if basis == 0 else versions[:1]
    steps: Steps[Version] = [(paris_day(it.registered_at), it) for it in decisive]
    if chain.withdrawn_at is not None:
        steps.append((paris_day(chain.withdrawn_at), None))
    return steps


def document_traits(version: Version) -> str:
    return f"{version.level} qualified" if version.qualified else version.level


def count_version(deltas: Deltas, it: Version) -> None:
    """One that is alone in its chain, is not deleted and is of no act."""
    act_day, registered = paris_day(it.act_at), paris_day(it.registered_at)
    days = (act_day, registered if registered > act_day else act_day)
    whom = subjects(it.structure, it.professional)
    deltas.count_one(it.space, "document", whom, (it.type_code, document_traits(it)), "", days)


def count_act(deltas: Deltas, act: Act) -> None:
    """One that gave rise to nothing and is not cancelled."""
    day = paris_day(act.act_at)
    whom = _known_subjects(act.structure, act.professional)
    deltas.count_one(act.space, "act", whom, (act.kind, act.flags), act.domain, (day, day))


def count_occurrence(deltas: Deltas, it: Occurrence) -> None:
    day = paris_day(it.at)
    whom = _known_subjects(it.structure, it.professional)
    deltas.count_one(it.space, "event", whom, (it.kind, it.detail), "", (day, day), it.quantity)


def _known_subjects(structure: str, professional: str) -> list[str]:
    return [it for it in subjects(structure, professional) if it]


def _add_chain(
    deltas: Deltas, known: Known, chain: Chain, links: dict[tuple[str, str], set[str]]
) -> None:
    origin = chain.ordered[0]
    act_ids = _act_ids(chain, links) if links else ()
    if len(chain.versions) == 1 and chain.withdrawn_at is None and not act_ids:
        count_version(deltas, origin)
        return
    act_day = paris_day(origin.act_at)
    whom = subjects(origin.structure, origin.professional)
    kinds = _kinds_of_acts(known, origin, act_ids)
    for basis in (0, 1):
        steps = version_steps(chain, basis)
        states: Steps[State]
        if act_ids:
            states = _states_in_acts(steps, kinds)
        else:
            states = [(day, it and (it.type_code, document_traits(it))) for day, it in steps]
        template = Bucket(origin.space, "document", "", "", "", "", act_day, act_day)
        _count_steps(deltas, basis, states, whom, template)


def _states_in_acts(steps: Steps[Version], kinds: dict[str, Steps[bool]]) -> Steps[State]:
    states: Steps[State] = []
    for day, (version, *alive) in _combined(steps, *kinds.values()):
        if version is None:
            states.append((day, None))
            continue
        words = [*document_traits(version).split(), "act"]
        words += [f"of:{kind}" for kind, it in zip(kinds, alive, strict=True) if it]
        states.append((day, (version.type_code, " ".join(sorted(words)))))
    return states


def _act_ids(chain: Chain, links: dict[tuple[str, str], set[str]]) -> set[str]:
    found: set[str] = set()
    for version in chain.versions.values():
        found |= links.get((version.space, version.unique_id), set())
    return found


def _kinds_of_acts(known: Known, origin: Version, act_ids: Iterable[str]) -> dict[str, Steps[bool]]:
    """By kind, when there is a declared act of it that the document belongs to."""
    wanted = set(act_ids)
    if not wanted:
        return {}
    found: dict[str, list[Steps[bool]]] = {}
    for key, act in known.acts.items():
        if key.space == origin.space and key.act_id in wanted and _is_of(act, origin):
            found.setdefault(key.kind, []).append(_act_steps(known, key))
    return {
        kind: [(day, any(states) or None) for day, states in _combined(*several)]
        for kind, several in sorted(found.items())
    }


def _is_of(act: Act, origin: Version) -> bool:
    """Only its own author's documents belong to an act, whatever its declaration says."""
    return bool(
        (act.structure and act.structure == origin.structure)
        or (act.professional and act.professional == origin.professional)
    )


def _act_steps(known: Known, key: ActKey) -> Steps[bool]:
    """From the day of the act to that of its cancellation."""
    start = paris_day(known.acts[key].act_at)
    steps: Steps[bool] = [(start, True)]
    cancelled = known.cancelled.get(key)
    if cancelled is not None:
        steps.append((max(start, paris_day(cancelled)), None))
    return steps


def _add_acts(
    deltas: Deltas,
    known: Known,
    act_ids: set[tuple[str, str]],
    links: dict[tuple[str, str], set[str]],
) -> None:
    """The declared acts of these numbers, and the documents that name them, declared or not."""
    chains: dict[tuple[str, str], list[Chain]] = {}
    for (space, _), chain in known.chains.items() if links else ():
        if chain.versions:
            for act_id in _act_ids(chain, links):
                chains.setdefault((space, act_id), []).append(chain)
    messages: dict[tuple[str, str], list[str]] = {}
    for link in known.links:
        messages.setdefault((link.space, link.act_id), []).append(link.reference)
    for key, act in known.acts.items():
        number = (key.space, key.act_id)
        if number in act_ids:
            _add_act(deltas, known, act, chains.get(number, []), messages.get(number, []))
    for (space, act_id), found in chains.items():
        if (space, act_id) in act_ids:
            _add_groups(deltas, space, found)


def _add_act(
    deltas: Deltas, known: Known, act: Act, chains: Sequence[Chain], references: Sequence[str]
) -> None:
    if not references and act.key not in known.cancelled:
        count_act(deltas, act)
        return
    act_day = paris_day(act.act_at)
    whom = _known_subjects(act.structure, act.professional)
    linked = [chain for chain in chains if _is_of(act, chain.ordered[0])]
    told: list[Steps[str]] = []
    for reference in references:
        message = known.messages.get((act.space, reference.removeprefix("message:")))
        if reference.startswith("message:") and message is not None:
            word = "message:sent" if message.kind == SENT else "message:received"
            told.append([(paris_day(message.at), word)])
    alive = _act_steps(known, act.key)
    for basis in (0, 1):
        documents = [version_steps(chain, basis) for chain in linked]
        states: Steps[State] = []
        for day, (is_alive, *others) in _combined(alive, *documents, *told):
            if not is_alive:
                states.append((day, None))
                continue
            words = set(act.flags.split())
            words |= _document_words(it for it in others[: len(documents)] if it)
            words |= {it for it in others[len(documents) :] if it}
            states.append((day, (act.kind, joined(words))))
        template = Bucket(act.space, "act", "", "", act.domain, "", act_day, act_day)
        _count_steps(deltas, basis, states, whom, template)


def _add_groups(deltas: Deltas, space: str, chains: Sequence[Chain]) -> None:
    """Documents of the same author for the same act: one, where an act counts once."""
    groups: dict[str, list[Chain]] = {}
    for chain in chains:
        origin = chain.ordered[0]
        if origin.structure or origin.professional:
            owner = origin.structure or f"ps:{origin.professional}"
            groups.setdefault(owner, []).append(chain)
    for members in groups.values():
        origin = min((it.ordered[0] for it in members), key=lambda it: (it.act_at, it.logical_id))
        act_day = paris_day(origin.act_at)
        whom = subjects(origin.structure, origin.professional)
        template = Bucket(space, "group", "", "", "", "", act_day, act_day)
        for basis in (0, 1):
            states: Steps[State] = []
            for day, versions in _combined(*(version_steps(it, basis) for it in members)):
                words = _document_words(it for it in versions if it)
                states.append((day, ("", joined(words)) if words else None))
            _count_steps(deltas, basis, states, whom, template)


def _document_words(versions: Iterable[Version]) -> set[str]:
    """`type/level/status` and, for who asks for any type, `*/level/status`."""
    words = set()
    for it in versions:
        rest = f"{it.level}/{'qualified' if it.qualified else 'other'}"
        words |= {f"{it.type_code}/{rest}", f"*/{rest}"}
    return words


def joined(words: Iterable[str]) -> str:
    """Traits of a bucket, which is the key of an index: what has documents of more types than fit counts
    for any type, and for the first of them."""
    found, length = [], 0
    for word in sorted(words, key=lambda it: ("/" in it and not it.startswith("*/"), it)):
        length += len(word.encode()) + 1
        if length > MAX_TRAITS:
            break
        found.append(word)
    return " ".join(found)


def _combined(*several: Steps[Any]) -> list[tuple[date, list[Any]]]:
    """All of them, side by side, on each day on which one changes."""
    if len(several) == 1:
        return [(day, [value]) for day, value in several[0]]
    changes = sorted(
        ((day, rank, value) for rank, steps in enumerate(several) for day, value in steps),
        key=lambda change: change[0],
    )
    state: list[Any] = [None] * len(several)
    found: list[tuple[date, list[Any]]] = []
    for day, rank, value in changes:
        state[rank] = value
        if found and found[-1][0] == day:
            found[-1] = (day, list(state))
        else:
            found.append((day, list(state)))
    return found


def _count_steps(
    deltas: Deltas, basis: int, steps: Steps[State], whom: Sequence[str], template: Bucket
) -> None:
    """Takes what was the case away and adds what is, on each day of a change; none is before the act."""
    before: State | None = None
    space, measure, _, _, domain, _, act_day, _ = template
    for day, state in steps:
        if state == before:
            continue
        known_day = max(day, act_day)
        for value, amount in ((before, -1), (state, 1)):
            if value is None:
                continue
            kind, traits = value
            for subject in whom:
                # A plain tuple again, as in count_one.
                bucket = (space, measure, subject, kind, domain, traits, act_day, known_day)
                deltas.count(bucket, basis, amount)  # type: ignore[arg-type]
        before = state
