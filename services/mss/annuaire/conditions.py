"""Criteria of a search as SQL on `mss.annuaire_entry e`.

Each criterion is looked up first. One that few entries meet gives their ids; one that many meet is
asked of each entry while the entries are walked in order. Either way a page is read by an index,
however large the directory is.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.mss.annuaire.domain import query, refusals
from services.mss.annuaire.domain.dates import Range
from services.mss.annuaire.domain.entries import Json
from services.mss.annuaire.domain.index import folded, key
from services.mss.annuaire.domain.parameters import PARAMETERS
from services.mss.annuaire.placement import of_entry, of_mailbox

FEW = 500
"""Entries that a token has, or mailboxes that an address has, for their ids to be taken."""

FEW_TEXTS = 5000
"""The same of a text, which costs more to ask of an entry."""

GRAM = 3
"""Characters that mss.grams() takes together (migration 0073)."""

MAX_CHAINED = 2000
"""Resources at the end of a chain, each of which is looked for."""

_LAST = "\U0010ffff"


@dataclass(slots=True)
class Conditions:
    """`clauses` and `costly` hold together; `values` are their parameters. What is costly has to be asked
    of each entry: texts and mailboxes that many have."""

    space: str
    kind: str
    restricted: bool
    clauses: list[str] = field(default_factory=list)
    costly: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.values |= {"space": self.space, "kind": self.kind}

    def bind(self, value: Any) -> str:
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f":{name}"

    @property
    def where(self) -> str:
        return " AND ".join([self.cheap, *self.costly])

    @property
    def cheap(self) -> str:
        return " AND ".join(["e.space = :space AND e.kind = :kind", *self.clauses])


async def conditions_of(
    session: AsyncSession, search: query.Search, *, restricted: bool
) -> Conditions:
    """`restricted` sees the mailboxes on the red list as well."""
    found = Conditions(search.space, search.kind, restricted)
    for asked in search.criteria:
        criterion = await _unchained(session, found, asked)
        ids = await _few(session, found, criterion)
        if ids is None:
            is_cheap = isinstance(criterion, query.Tokens | query.Updated | query.Ids)
            clauses = found.clauses if is_cheap else found.costly
            clauses.append(_clause(found, criterion))
        else:
            found.clauses.append(f"e.id = ANY(CAST({found.bind(ids)} AS text[]))")
    return found


async def _unchained(
    session: AsyncSession, conditions: Conditions, criterion: query.Criterion
) -> query.Criterion:
    """A chain as the ids that it comes to."""
    if isinstance(criterion, query.Chained):
        bodies = await _at_end(session, conditions, criterion.target, criterion.criterion)
        found = await _referring(session, conditions, criterion, [body["id"] for body in bodies])
        return query.Ids(tuple(found))
    if isinstance(criterion, query.Referred):
        bodies = await _at_end(session, conditions, criterion.kind, criterion.criterion)
        values = PARAMETERS[criterion.kind][criterion.parameter].values
        assert values is not None  # a reference
        referred = {target.partition("/")[2] for body in bodies for _, target in values(body)}
        return query.Ids(tuple(sorted(referred)))
    return criterion


async def _referring(
    session: AsyncSession, conditions: Conditions, chain: query.Chained, targets: Iterable[str]
) -> list[str]:
    """One look into the index for each target: of a long list of tokens PostgreSQL would rather ask
    every entry. OFFSET 0 keeps every other index out of it."""
    space, kind = conditions.space, conditions.kind
    keys = [key(space, kind, chain.parameter, None, f"{chain.target}/{id_}") for id_ in targets]
    rows = await session.execute(
        text(
            "SELECT DISTINCT e.id FROM unnest(CAST(:keys AS bigint[])) w(token) CROSS JOIN LATERAL ("
            " SELECT space, kind, id FROM mss.annuaire_entry WHERE tokens @> ARRAY[w.token] OFFSET 0"
            ") e WHERE e.space = :space AND e.kind = :kind"
        ),
        {"keys": keys, "space": space, "kind": kind},
    )
    return sorted(rows.scalars())


async def _at_end(
    session: AsyncSession, conditions: Conditions, kind: str, criterion: query.Criterion
) -> list[Json]:
    """The resources of this kind that meet the criterion: no more than can be looked for one by one."""
    inner = Conditions(conditions.space, kind, conditions.restricted)
    criterion = await _unchained(session, inner, criterion)
    ids = await _few(session, inner, criterion)
    clause = (
        _clause(inner, criterion)
        if ids is None
        else f"e.id = ANY(CAST({inner.bind(ids)} AS text[]))"
    )
    rows = await session.execute(
        text(
            f"SELECT e.body::text AS body FROM mss.annuaire_entry e WHERE {inner.cheap} AND {clause}"
            f" LIMIT {MAX_CHAINED + 1}"
        ),
        inner.values,
    )
    bodies = [row.body for row in rows]
    if len(bodies) > MAX_CHAINED:
        raise refusals.refused(
            [refusals.invalid_value(kind, "more resources than a chain can follow match",
                                    f"a criterion that at most {MAX_CHAINED} meet")]
        )  # fmt: skip
    return [orjson.loads(body) for body in bodies]


async def _few(
    session: AsyncSession, conditions: Conditions, criterion: query.Criterion
) -> list[str] | None:
    """The entries that meet the criterion; None where they are many, or not to be looked up."""
    probe = Conditions(conditions.space, conditions.kind, conditions.restricted)
    match criterion:
        case query.Tokens(_, negated=False):
            # OFFSET 0 keeps every other index out of it.
            having = f"mss.annuaire_entry e WHERE {_clause(probe, criterion)} OFFSET 0"
            inner = f"SELECT space, kind, id FROM {having}"
            source = f"(SELECT id AS entry FROM ({inner}) e WHERE {probe.where}) t"
        case query.Texts():
            clause = _by_grams(probe, "t.folded", criterion.mode, map(folded, criterion.values))
            source = f"(SELECT t.entry FROM {_texts(probe, criterion)} AND {clause}) t"
        case query.Mailboxes():
            clause = _addresses(probe, "m.address", criterion)
            clause += f" AND {_by_grams(probe, 'm.address', criterion.mode, criterion.values)}"
            addresses = await _limited(
                session, probe, f"mss.mailbox m WHERE m.space = :space AND {clause}", "m.address"
            )
            if addresses is None:
                return None
            probe = Conditions(conditions.space, conditions.kind, conditions.restricted)
            chosen = of_mailbox(f"m.address = ANY(CAST({probe.bind(addresses)} AS text[]))")
            shown = "" if conditions.restricted else " AND NOT t.red_listed"
            source = f"({chosen}) t WHERE t.kind = :kind{shown}"
        case _:
            return None
    few = FEW_TEXTS if isinstance(criterion, query.Texts) else FEW
    ids = await _limited(session, probe, source, "t.entry", few)
    return None if ids is None else sorted(set(ids))


async def _limited(
    session: AsyncSession, probe: Conditions, source: str, column: str, few: int = FEW
) -> list[str] | None:
    """None for more than `few` rows, none of which then leaves the database; repeated ones count, which
    costs no sort."""
    found = await session.execute(
        text(
            f"SELECT CASE WHEN count(*) <= {few} THEN coalesce(array_agg(w.found), '{{}}') END"
            f" FROM (SELECT {column} AS found FROM {source} LIMIT {few + 1}) w"
        ),
        probe.values,
    )
    values: list[str] | None = found.scalar_one()
    return values


def _clause(conditions: Conditions, criterion: query.Criterion) -> str:
    match criterion:
        case query.Tokens(keys, negated):
            clause = f"e.tokens && CAST({conditions.bind(list(keys))} AS bigint[])"
            return f"NOT ({clause})" if negated else clause
        case query.Texts():
            # OFFSET 0 keeps the planner from turning the question into a join of everything.
            return (
                f"EXISTS (SELECT FROM {_texts(conditions, criterion)} AND t.entry = e.id OFFSET 0)"
            )
        case query.Mailboxes():
            return _has_mailbox(conditions, _addresses(conditions, "t.address", criterion))
        case query.Ids(ids):
            return f"e.id = ANY(CAST({conditions.bind(list(ids))} AS text[]))"
        case query.Updated(ranges):
            return _either(_range(conditions, one) for one in ranges)
        case query.MailboxTypes(kinds, negated):
            types = f"CAST({conditions.bind(list(kinds))} AS text[])"
            return _has_mailbox(conditions, f"t.type = ANY({types})", negated=negated)
        case query.HasMailbox(wanted):
            return _has_mailbox(conditions, "true", negated=not wanted)
    raise AssertionError(criterion)


def _range(conditions: Conditions, one: Range) -> str:
    parts = []
    if one.low is not None:
        parts.append(f"e.updated_at >= {conditions.bind(one.low)}")
    if one.high is not None:
        parts.append(f"e.updated_at < {conditions.bind(one.high)}")
    both = " AND ".join(parts) or "true"
    return f"NOT ({both})" if one.outside else f"({both})"


def _addresses(conditions: Conditions, column: str, criterion: query.Mailboxes) -> str:
    collated = f'({column} COLLATE "C")'
    return _either(_address(conditions, collated, criterion.mode, v) for v in criterion.values)


def _texts(conditions: Conditions, criterion: query.Texts) -> str:
    name = conditions.bind(criterion.name)
    clauses = [_text(conditions, criterion.mode, value) for value in criterion.values]
    return (
        f"mss.annuaire_text t WHERE t.space = :space AND t.kind = :kind AND t.name = {name}"
        f" AND {_either(clauses)}"
    )


def _by_grams(conditions: Conditions, column: str, mode: str, values: Iterable[str]) -> str:
    """What an index can tell of texts that contain something: every three characters of it are there.
    True where a value is too short to tell."""
    if mode not in ("contains", "text"):
        return "true"
    clauses = []
    for value in values:
        words = [one for one in (value.split() if mode == "text" else [value]) if len(one) >= GRAM]
        parts = [f"mss.grams({column}) @> mss.grams({conditions.bind(one)})" for one in words]
        if not parts:
            return "true"
        clauses.append("(" + " AND ".join(parts) + ")")
    return _either(clauses) if clauses else "true"


def _text(conditions: Conditions, mode: str, value: str) -> str:
    wanted = folded(value)
    if mode == "exact":
        return f"(t.folded = {conditions.bind(wanted)} AND t.value = {conditions.bind(value)})"
    words = wanted.split() if mode == "text" else [wanted]
    return _compared(conditions, "t.folded", mode, words)


def _address(conditions: Conditions, column: str, mode: str, value: str) -> str:
    if mode == "exact":
        return f"{column} = {conditions.bind(value)}"
    return _compared(conditions, column, mode, value.split() if mode == "text" else [value])


def _compared(conditions: Conditions, column: str, mode: str, words: list[str]) -> str:
    if mode in ("contains", "text"):
        parts = [f"position({conditions.bind(word)} IN {column}) > 0" for word in words]
        return "(" + (" AND ".join(parts) or "true") + ")"
    [beginning] = words
    low, high = conditions.bind(beginning), conditions.bind(beginning + _LAST)
    return f"({column} >= {low} AND {column} < {high})"


def _has_mailbox(conditions: Conditions, clause: str, *, negated: bool = False) -> str:
    shown = "" if conditions.restricted else " AND NOT t.red_listed"
    question = f"EXISTS (SELECT FROM ({of_entry()}) t WHERE {clause}{shown} OFFSET 0)"
    return f"NOT {question}" if negated else question


def _either(clauses: Iterable[str]) -> str:
    return "(" + (" OR ".join(clauses) or "false") + ")"
