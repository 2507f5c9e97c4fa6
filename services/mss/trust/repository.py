"""SQL of operators, domains, certificates and rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.mss.domain.whitelist import Entry
from socle.db.database import WriteSession


@dataclass(frozen=True, slots=True)
class Operator:
    """`host` is the common name of its certificates; `structure` their OU, "3" and a SIRET."""

    name: str
    title: str
    host: str
    structure: str
    department: str
    responsible: str
    support: str
    certificate: UUID | None = None
    answer: str | None = None
    """What its server says to every recipient, instead of taking the mail."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A certificate that the sandbox has issued, with its key, or one that was brought, without."""

    id: UUID
    space: str
    operator: str | None
    purpose: str
    fingerprint: bytes
    serial: str
    subject: str
    pem: str
    key_pem: str | None = field(repr=False)
    not_before: datetime
    not_after: datetime
    revoked_at: datetime | None = None


_OPERATOR = "name, title, host, structure, department, responsible, support, certificate, answer"
_CERTIFICATE = (
    "id, space, operator, purpose, fingerprint, serial, subject, pem, key_pem,"
    " not_before, not_after, revoked_at"
)


async def insert_operator(session: WriteSession, space: str, operator: Operator) -> bool:
    made = await session.execute(
        text(
            "INSERT INTO mss.operator"
            " (space, name, title, host, structure, department, responsible, support) VALUES"
            " (:space, :name, :title, :host, :structure, :department, :responsible, :support)"
            " ON CONFLICT DO NOTHING RETURNING name"
        ),
        {
            "space": space,
            "name": operator.name,
            "title": operator.title,
            "host": operator.host,
            "structure": operator.structure,
            "department": operator.department,
            "responsible": operator.responsible,
            "support": operator.support,
        },
    )
    return made.one_or_none() is not None


async def list_operators(session: AsyncSession, space: str) -> list[Operator]:
    rows = await session.execute(
        text(f"SELECT {_OPERATOR} FROM mss.operator WHERE space = :space ORDER BY name"),
        {"space": space},
    )
    return [Operator(*row) for row in rows]


async def get_operator(session: AsyncSession, space: str, name: str) -> Operator | None:
    rows = await session.execute(
        text(f"SELECT {_OPERATOR} FROM mss.operator WHERE space = :space AND name = :name"),
        {"space": space, "name": name},
    )
    row = rows.one_or_none()
    return None if row is None else Operator(*row)


async def present(session: WriteSession, space: str, operator: str, certificate: UUID) -> None:
    """From now on the operator presents this certificate."""
    await session.execute(
        text(
            "UPDATE mss.operator SET certificate = :certificate"
            " WHERE space = :space AND name = :operator"
        ),
        {"space": space, "operator": operator, "certificate": certificate},
    )


async def set_answer(session: WriteSession, space: str, operator: str, answer: str | None) -> None:
    await session.execute(
        text("UPDATE mss.operator SET answer = :answer WHERE space = :space AND name = :operator"),
        {"space": space, "operator": operator, "answer": answer},
    )


async def answer_for(session: AsyncSession, space: str, domain: str) -> str | None:
    """What the operator of this domain says to every recipient; None where it takes mail."""
    rows = await session.execute(
        text(
            "SELECT o.answer FROM mss.operator o"
            " JOIN mss.trust_domain d ON d.space = o.space AND d.operator = o.name"
            " WHERE d.space = :space AND d.domain = :domain LIMIT 1"
        ),
        {"space": space, "domain": domain},
    )
    answer: str | None = rows.scalar_one_or_none()
    return answer


async def insert_domain(session: WriteSession, space: str, operator: str, entry: Entry) -> bool:
    """False, and nothing changed, where the domain has an entry with this DN."""
    made = await session.execute(
        text(
            "INSERT INTO mss.trust_domain VALUES (:space, :domain, :dn, :operator, :description,"
            " :responsible, :support, :updated_at) ON CONFLICT DO NOTHING RETURNING domain"
        ),
        {
            "space": space,
            "operator": operator,
            "domain": entry.domain,
            "dn": entry.dn,
            "description": entry.description,
            "responsible": entry.responsible,
            "support": entry.support,
            "updated_at": entry.updated_at,
        },
    )
    if made.one_or_none() is None:
        return False
    await touch(session, space, entry.updated_at)
    return True


async def delete_domain(
    session: WriteSession, space: str, domain: str, dn: str | None, at: datetime
) -> int:
    """All entries of a domain, or the one with this DN; how many there were."""
    gone = await session.execute(
        text(
            "DELETE FROM mss.trust_domain WHERE space = :space AND domain = :domain"
            " AND (CAST(:dn AS text) IS NULL OR dn = :dn) RETURNING dn"
        ),
        {"space": space, "domain": domain, "dn": dn},
    )
    count = len(gone.all())
    if count:
        await touch(session, space, at)
    return count


async def touch(session: WriteSession, space: str, at: datetime) -> None:
    """The whitelist is generated anew."""
    await session.execute(
        text(
            "INSERT INTO mss.trust_space (space, changed_at) VALUES (:space, :at)"
            " ON CONFLICT (space) DO UPDATE SET changed_at = :at,"
            " version = mss.trust_space.version + 1"
        ),
        {"space": space, "at": at},
    )


async def get_version(session: AsyncSession, space: str) -> tuple[int, datetime] | None:
    """Which list it is, and since when; None before the first entry."""
    rows = await session.execute(
        text("SELECT version, changed_at FROM mss.trust_space WHERE space = :space"),
        {"space": space},
    )
    row = rows.one_or_none()
    return None if row is None else (row.version, row.changed_at)


async def list_domains(session: AsyncSession, space: str) -> list[tuple[str, Entry]]:
    """Operator and entry, by domain and DN."""
    rows = await session.execute(
        text(
            "SELECT operator, domain, description, dn, responsible, support, updated_at"
            " FROM mss.trust_domain WHERE space = :space ORDER BY domain, dn"
        ),
        {"space": space},
    )
    return [(row[0], Entry(*row[1:])) for row in rows]


async def dns_of(session: AsyncSession, space: str, domain: str) -> list[str]:
    rows = await session.execute(
        text("SELECT dn FROM mss.trust_domain WHERE space = :space AND domain = :domain"),
        {"space": space, "domain": domain},
    )
    return [row.dn for row in rows]


async def operators_of(session: AsyncSession, space: str, domains: Sequence[str]) -> dict[str, str]:
    """The operator of each of these domains that is listed."""
    rows = await session.execute(
        text(
            "SELECT DISTINCT domain, operator FROM mss.trust_domain"
            " WHERE space = :space AND domain = ANY(:domains)"
        ),
        {"space": space, "domains": list(domains)},
    )
    return {row.domain: row.operator for row in rows}


async def rules_of(session: AsyncSession, space: str) -> dict[str, str]:
    """The rules whose mode this space has set."""
    rows = await session.execute(
        text("SELECT rule, mode FROM mss.trust_rule WHERE space = :space"), {"space": space}
    )
    return {row.rule: row.mode for row in rows}


async def set_rules(session: WriteSession, space: str, modes: Mapping[str, str]) -> None:
    await session.execute(
        text(
            "INSERT INTO mss.trust_rule VALUES (:space, :rule, :mode)"
            " ON CONFLICT (space, rule) DO UPDATE SET mode = :mode"
        ),
        [{"space": space, "rule": rule, "mode": mode} for rule, mode in sorted(modes.items())],
    )


async def insert_certificate(session: WriteSession, stored: Stored) -> bool:
    """False where this certificate is known already, in whatever space."""
    made = await session.execute(
        text(
            f"INSERT INTO mss.certificate ({_CERTIFICATE}) VALUES (:id, :space, :operator,"
            " :purpose, :fingerprint, :serial, :subject, :pem, :key_pem, :not_before, :not_after,"
            " :revoked_at) ON CONFLICT (fingerprint) DO NOTHING RETURNING id"
        ),
        {name: getattr(stored, name) for name in Stored.__slots__},
    )
    return made.one_or_none() is not None


async def get_certificate(session: AsyncSession, space: str, id_: UUID) -> Stored | None:
    return await _certificate(session, "space = :space AND id = :id", {"space": space, "id": id_})


async def find_certificate(session: AsyncSession, fingerprint: bytes) -> Stored | None:
    """By what a peer presented: the certificate alone tells the space."""
    return await _certificate(session, "fingerprint = :fingerprint", {"fingerprint": fingerprint})


async def _certificate(
    session: AsyncSession, condition: str, values: dict[str, Any]
) -> Stored | None:
    rows = await session.execute(
        text(f"SELECT {_CERTIFICATE} FROM mss.certificate WHERE {condition}"), values
    )
    row = rows.one_or_none()
    return None if row is None else _stored(row)


async def list_certificates(session: AsyncSession, space: str, limit: int) -> list[Stored]:
    rows = await session.execute(
        text(
            f"SELECT {_CERTIFICATE} FROM mss.certificate WHERE space = :space"
            " ORDER BY id LIMIT :limit"
        ),
        {"space": space, "limit": limit},
    )
    return [_stored(row) for row in rows]


async def revoke(session: WriteSession, space: str, id_: UUID, at: datetime) -> None:
    await session.execute(
        text(
            "UPDATE mss.certificate SET revoked_at = coalesce(revoked_at, :at)"
            " WHERE space = :space AND id = :id"
        ),
        {"space": space, "id": id_, "at": at},
    )


async def list_revoked(session: AsyncSession, space: str) -> list[tuple[int, datetime]]:
    rows = await session.execute(
        text(
            "SELECT serial, revoked_at FROM mss.certificate"
            " WHERE space = :space AND revoked_at IS NOT NULL ORDER BY revoked_at, id"
        ),
        {"space": space},
    )
    return [(int(row.serial, 16), row.revoked_at) for row in rows]


async def bind(session: WriteSession, space: str, address: str, certificate: UUID) -> None:
    await session.execute(
        text(
            "INSERT INTO mss.mailbox_certificate VALUES (:space, :address, :certificate)"
            " ON CONFLICT DO NOTHING"
        ),
        {"space": space, "address": address, "certificate": certificate},
    )


async def bound_to(session: AsyncSession, certificate: UUID) -> list[str]:
    """The addresses of the mailboxes that a certificate opens."""
    rows = await session.execute(
        text(
            "SELECT address FROM mss.mailbox_certificate WHERE certificate = :certificate"
            " ORDER BY address"
        ),
        {"certificate": certificate},
    )
    return [row.address for row in rows]


def _stored(row: Any) -> Stored:
    values = {**row._mapping, "fingerprint": bytes(row.fingerprint)}
    return Stored(**values)
