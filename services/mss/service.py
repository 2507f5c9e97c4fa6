"""Use cases: log in with a PSC token, open mailboxes. Messages enter by intake.py."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from services.mss import repository
from services.mss.domain.mailboxes import ADDRESS, KINDS, Mailbox
from services.mss.domain.patient_rules import is_patients
from services.mss.domain.sasl import BearerLogin
from services.mss.settings import MssSettings
from socle.auth.subject import Subject
from socle.clock import wall
from socle.db.database import WriteSession
from socle.errors import Category, DomainError, unauthenticated
from socle.ids.structures import parse_struct_idnat
from socle.kernel import Kernel
from socle.logs import get_logger
from socle.problems import Problem
from socle.spaces import Space

log = get_logger("mss.login")


@dataclass(frozen=True, slots=True)
class Session:
    """Who is logged in to SMTP or IMAP, and into which mailbox. An application that showed a
    certificate has no `subject`."""

    subject: Subject | None
    space: str
    mailbox: Mailbox
    mailboxes: tuple[str, ...] = field(repr=False)
    """In whose name the session may send."""

    def seconds_left(self) -> float | None:
        """Of the token's life; None for a certificate."""
        return None if self.subject is None else self.subject.expires_at - wall().timestamp()


async def log_in(kernel: Kernel, login: BearerLogin) -> Session:
    """The token names the professional and the space; the user name, one of their mailboxes."""
    subject = await kernel.verifier.verify(login.token)
    space = await kernel.spaces.get(subject.space)
    owned = await repository.fetch_mailboxes(kernel.database, space.name, subject.national_id)
    wanted = [box for box in owned if box.address == login.user or not login.user]
    if not wanted:
        raise unauthenticated(
            "mailbox_not_owned", "The professional of this token has no such mailbox here."
        )
    if wanted[0].kind == "APP":
        _require_certificate(kernel)
    writable = tuple(box.address for box in owned if box.rights != "read")
    return Session(subject, space.name, wanted[0], writable)


def _require_certificate(kernel: Kernel) -> None:
    """Applicative mailboxes are opened by certificate (spec: mss.md §1.4)."""
    assert isinstance(kernel.settings, MssSettings)
    mode = kernel.settings.mss_app_certificate
    if mode == "warn":
        log.warning("application_by_token")
    if mode == "enforce":
        raise unauthenticated(
            "certificate_required", "An applicative mailbox is opened by its certificate."
        )


async def may_still_open(kernel: Kernel, login: Session) -> bool:
    """A session outlives the delegation or the mailbox: it is looked at when a folder is opened."""
    async with kernel.database.read() as session:
        if login.subject is None:
            boxes = await repository.get_mailboxes(session, login.space, [login.mailbox.address])
            return any(box.active for box in boxes.values())
        owned = await repository.list_mailboxes(session, login.space, login.subject.national_id)
    return any(
        (box.address, box.rights) == (login.mailbox.address, login.mailbox.rights) for box in owned
    )


async def create_mailbox(
    session: WriteSession, space: Space, mailbox: Mailbox, owners: Sequence[str]
) -> None:
    problems = []
    if is_patients(mailbox.address):
        problems.append(
            Problem(
                "MSS-PATIENT-ADDRESS",
                "/address",
                "the domain of patients has no mailbox of professionals",
                "another domain; a patient's mailbox is set by POST /_sandbox/mss/patient/mailbox",
                source="spec: mss.md §5",
            )
        )
    elif not ADDRESS.fullmatch(mailbox.address):
        problems.append(
            Problem(
                "MSS-ADDRESS",
                "/address",
                "not an address of the trust space",
                "name@….mssante.fr, in lower case",
                source="Ansforge API MSS, pattern of the OpenAPI document",
            )
        )
    if mailbox.kind not in KINDS:
        problems.append(Problem("MSS-KIND", "/kind", "unknown type of mailbox", ", ".join(KINDS)))
    problems += _owners_problems(mailbox.kind, owners)
    if mailbox.structure and parse_struct_idnat(mailbox.structure) is None:
        problems.append(
            Problem(
                "MSS-STRUCTURE", "/structure", "not a Struct_IdNat", "1 and a FINESS, 3 and a SIRET"
            )
        )
    if problems:
        raise DomainError(
            Category.UNPROCESSABLE,
            "mailbox_invalid",
            "The mailbox cannot be created.",
            problems=problems,
        )
    if not await repository.insert_mailbox(session, space.name, mailbox, owners):
        raise DomainError(
            Category.CONFLICT, "mailbox_exists", "This space has a mailbox with this address."
        )


def _owners_problems(kind: str, owners: Sequence[str]) -> list[Problem]:
    """Spec: mss.md §1.9. Who opens an applicative mailbox are programs; it may have nobody."""
    wanted = {"PER": "exactly one", "CAB": "one or more", "ORG": "one or more"}.get(kind)
    if wanted is None or len(set(owners)) == 1 or (owners and kind != "PER"):
        return []
    return [Problem("MSS-OWNERS", "/owners", f"{len(set(owners))} owners", wanted)]


async def own_mailbox(session: AsyncSession, space: str, subject: Subject, address: str) -> Mailbox:
    """Another's mailbox and an unknown one are answered alike: an address is not to be guessed."""
    for mailbox in await repository.list_mailboxes(session, space, subject.national_id):
        if mailbox.address == address:
            return mailbox
    raise DomainError(
        Category.NOT_FOUND, "mailbox_unknown", "You have no mailbox with this address here."
    )
