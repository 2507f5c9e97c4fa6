"""Use cases of the trust space's control plane: operators, domains, certificates, rules."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from sqlalchemy.ext.asyncio import AsyncSession

from services.mss import repository as mailboxes
from services.mss.domain.mailboxes import DOMAIN
from services.mss.domain.trust import RECEIVER, RULES, Mode, is_dn
from services.mss.domain.whitelist import Entry
from services.mss.settings import MssSettings
from services.mss.trust import repository
from services.mss.trust.authority import Authority, described
from services.mss.trust.repository import Operator, Stored
from socle.clock import wall
from socle.db.database import WriteSession
from socle.errors import Category, DomainError
from socle.pki.issuing import Validity, organisation_name
from socle.problems import Problem
from socle.spaces import Space

NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
HOST = re.compile(r"(?=.{1,64}\Z)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
# "3" says that a SIRET follows, "1" a FINESS (annexe of the IGC Santé's certificate policies).
STRUCTURE = re.compile(r"3\d{14}|1\d{9}")
ANSWER = re.compile(r"[45]\d\d [45]\.\d{1,3}\.\d{1,3} [ -~]{1,300}")
MAX_PEM = 20_000


def standard_dn(operator: Operator) -> str:
    """The subject of the certificates that the sandbox issues to an operator."""
    return _name_of(operator, operator.host).rfc4514_string()


def _name_of(operator: Operator, host: str) -> x509.Name:
    return organisation_name(
        host,
        structure=operator.structure,
        organisation=operator.title,
        department=operator.department,
    )


async def create_operator(session: WriteSession, space: Space, operator: Operator) -> None:
    problems = []
    if not NAME.fullmatch(operator.name):
        problems.append(
            Problem("TRUST-NAME", "/name", "not a name", "lower-case letters, digits, hyphens")
        )
    if not HOST.fullmatch(operator.host):
        problems.append(Problem("TRUST-HOST", "/host", "not a host name", "64 characters at most"))
    if not STRUCTURE.fullmatch(operator.structure):
        problems.append(
            Problem(
                "TRUST-STRUCTURE",
                "/structure",
                "not the OU of a certificate of the IGC Santé",
                "3 and a SIRET of 14 digits, or 1 and a FINESS of 9",
            )
        )
    problems += _unprintable(
        title=operator.title,
        department=operator.department,
        responsible=operator.responsible,
        support=operator.support,
    )
    _refuse(problems, "operator_invalid", "The operator cannot be created.")
    if not await repository.insert_operator(session, space.name, operator):
        raise DomainError(
            Category.CONFLICT, "operator_exists", "This space has an operator of this name."
        )


async def operator_named(session: AsyncSession, space: Space, name: str) -> Operator:
    found = await repository.get_operator(session, space.name, name)
    if found is None:
        raise DomainError(
            Category.NOT_FOUND, "operator_unknown", "This space has no such operator."
        )
    return found


@dataclass(frozen=True, slots=True)
class NewDomain:
    domain: str
    operator: str
    dn: str | None = None
    description: str = ""


async def add_domain(session: WriteSession, space: Space, new: NewDomain) -> Entry:
    """An entry for one certificate; a domain may have several."""
    operator = await operator_named(session, space, new.operator)
    dn = new.dn or standard_dn(operator)
    problems = []
    if not DOMAIN.fullmatch(new.domain):
        problems.append(
            Problem(
                "TRUST-NAME",
                "/domain",
                "not a domain of the trust space",
                "….mssante.fr, or mssante.apicrypt.org or interop-mssante.apicrypt.org",
                source="domains of the published list (spec: mss.md §1.5)",
            )
        )
    if not is_dn(dn):
        problems.append(
            Problem("TRUST-DN", "/dn", "not a distinguished name", "CN=…,OU=…,O=…,ST=…,C=FR")
        )
    problems += _unprintable(description=new.description, dn=dn)
    owners = await repository.operators_of(session, space.name, [new.domain])
    if owners.get(new.domain, operator.name) != operator.name:
        problems.append(
            Problem("TRUST-OPERATOR", "/operator", "the domain is another operator's", "its own")
        )
    _refuse(problems, "domain_invalid", "The domain cannot be listed.")
    entry = Entry(
        new.domain,
        new.description or operator.title,
        dn,
        operator.responsible,
        operator.support,
        space.now(),
    )
    if not await repository.insert_domain(session, space.name, operator.name, entry):
        raise DomainError(
            Category.CONFLICT, "domain_listed", "The domain has an entry with this certificate."
        )
    return entry


async def remove_domain(session: WriteSession, space: Space, domain: str, dn: str | None) -> None:
    if not await repository.delete_domain(session, space.name, domain, dn, space.now()):
        raise DomainError(Category.NOT_FOUND, "domain_unknown", "The whitelist has no such entry.")


async def issue_to_operator(
    session: WriteSession,
    space: Space,
    authority: Authority,
    name: str,
    *,
    host: str | None = None,
    validity: Validity = "valid",
) -> Stored:
    """With another host, the subject is another one, which no entry lists until it is added."""
    operator = await operator_named(session, space, name)
    host = host or operator.host
    if not HOST.fullmatch(host):
        _refuse(
            [Problem("TRUST-HOST", "/host", "not a host name", "64 characters at most")],
            "certificate_invalid",
            "The certificate cannot be issued.",
        )
    stored = await authority.issue(
        space.name,
        _name_of(operator, host),
        "operator",
        operator=operator.name,
        hosts=[host],
        validity=validity,
    )
    await repository.insert_certificate(session, stored)
    return stored


async def presented_by(
    session: WriteSession, space: Space, authority: Authority, name: str
) -> Stored:
    """The certificate that the sandbox presents as this operator, issued when it is first needed, and
    anew where the authority that issued it is lost."""
    operator = await operator_named(session, space, name)
    if operator.certificate is not None:
        found = await repository.get_certificate(session, space.name, operator.certificate)
        if found is not None and not _has_aged(found) and authority.has_issued(found):
            return found
    stored = await issue_to_operator(session, space, authority, name)
    await repository.present(session, space.name, name, stored.id)
    return stored


def _has_aged(stored: Stored) -> bool:
    """Good when it was made (its id tells when), and expired since: not a sample of an expired one."""
    made = datetime.fromtimestamp((stored.id.int >> 80) / 1000, UTC)
    return made < stored.not_after < wall()


async def choose_presented(
    session: WriteSession, space: Space, name: str, certificate: UUID
) -> None:
    """So that an expired or a revoked one is what the sandbox itself sends with."""
    await operator_named(session, space, name)
    stored = await certificate_of(session, space, certificate)
    if stored.operator != name or stored.key_pem is None:
        raise DomainError(
            Category.CONFLICT,
            "certificate_of_another",
            "This certificate is not one that the sandbox has issued to this operator.",
        )
    await repository.present(session, space.name, name, certificate)


async def set_answer(session: WriteSession, space: Space, name: str, answer: str | None) -> None:
    """So that mail to this operator is refused, or has to wait."""
    await operator_named(session, space, name)
    if answer is not None and not ANSWER.fullmatch(answer):
        _refuse(
            [Problem("TRUST-ANSWER", "/answer", "not a refusal of SMTP", "451 4.3.2 text")],
            "answer_invalid",
            "The operator answers as before.",
        )
    await repository.set_answer(session, space.name, name, answer)


async def issue_to_mailbox(
    session: WriteSession,
    space: Space,
    authority: Authority,
    address: str,
    validity: Validity = "valid",
) -> Stored:
    """As AUTH_CLI, gamme Élémentaire Organisation (ECO.1.1.10): the subject names the mailbox."""
    await _require_app(session, space, address)
    subject = organisation_name(
        address[:64],
        structure="300000000000000",
        organisation="Socle sandbox",
        department="Paris (75)",
    )
    stored = await authority.issue(space.name, subject, "auth_cli", validity=validity)
    await repository.insert_certificate(session, stored)
    await repository.bind(session, space.name, address, stored.id)
    return stored


async def bind_to_mailbox(session: WriteSession, space: Space, address: str, pem: str) -> Stored:
    """A certificate of one's own, or one that opens another mailbox already."""
    await _require_app(session, space, address)
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        stored = described(certificate, space.name, "auth_cli")
    except ValueError as error:
        raise DomainError(
            Category.UNPROCESSABLE,
            "certificate_malformed",
            "The text holds no certificate in PEM.",
            problems=[Problem("TRUST-CERTIFICATE", "/pem", "no certificate", "-----BEGIN …")],
        ) from error
    if not await repository.insert_certificate(session, stored):
        known = await repository.find_certificate(session, certificate.fingerprint(hashes.SHA256()))
        if known is None or known.space != space.name or known.purpose != "auth_cli":
            raise DomainError(
                Category.CONFLICT,
                "certificate_taken",
                "This certificate names an operator, or belongs to another space.",
            )
        stored = known
    await repository.bind(session, space.name, address, stored.id)
    return stored


async def _require_app(session: AsyncSession, space: Space, address: str) -> None:
    box = (await mailboxes.get_mailboxes(session, space.name, [address])).get(address)
    if box is None:
        raise DomainError(Category.NOT_FOUND, "mailbox_unknown", "This space has no such mailbox.")
    if box.kind != "APP":
        raise DomainError(
            Category.CONFLICT,
            "mailbox_not_applicative",
            "Certificates open applicative mailboxes (APP); this one is opened by its owners' tokens.",
        )


async def certificate_of(session: AsyncSession, space: Space, certificate: UUID) -> Stored:
    found = await repository.get_certificate(session, space.name, certificate)
    if found is None:
        raise DomainError(
            Category.NOT_FOUND, "certificate_unknown", "This space has no such certificate."
        )
    return found


async def revoke(session: WriteSession, space: Space, certificate: UUID) -> None:
    """Of wall time, as everything that TLS looks at (docs/adr/0004)."""
    await certificate_of(session, space, certificate)
    await repository.revoke(session, space.name, certificate, wall())


async def change_rules(session: WriteSession, space: Space, modes: Mapping[str, Mode]) -> None:
    unknown = sorted(set(modes) - RULES.keys())
    _refuse(
        [Problem("TRUST-RULE", f"/{name}", "unknown rule", ", ".join(RULES)) for name in unknown],
        "rule_unknown",
        "The rules are left as they were.",
    )
    if modes:
        await repository.set_rules(session, space.name, modes)


def defaults_of(settings: MssSettings) -> dict[str, Mode]:
    """Where a space has set nothing."""
    return {
        rule: settings.mss_trust_receiver if rule == RECEIVER else settings.mss_trust
        for rule in RULES
    }


async def rules(session: AsyncSession, space: str, defaults: Mapping[str, Mode]) -> dict[str, Mode]:
    """Every rule with its mode in this space."""
    changed: Mapping[str, str] = await repository.rules_of(session, space)
    return {rule: changed.get(rule, default) for rule, default in defaults.items()}  # type: ignore[misc]


async def sealed_whitelist(session: AsyncSession, space: Space, authority: Authority) -> bytes:
    version = await repository.get_version(session, space.name)
    number, changed_at = version or (0, _first_day(space))
    entries = [entry for _, entry in await repository.list_domains(session, space.name)]
    return await authority.sealed_whitelist(space.name, number, changed_at, entries)


def _first_day(space: Space) -> datetime:
    """Of a list that nobody has filled yet."""
    return space.now().replace(hour=0, minute=0, second=0, microsecond=0)


def _unprintable(**texts: str) -> list[Problem]:
    """XML 1.0 and PostgreSQL take no control characters, and a name of X.509 no empty text."""
    return [
        Problem("TRUST-TEXT", f"/{name}", "control characters", "printable text")
        for name, value in texts.items()
        if not value.isprintable()
    ]


def _refuse(problems: list[Problem], code: str, detail: str) -> None:
    if problems:
        raise DomainError(Category.UNPROCESSABLE, code, detail, problems=problems)
