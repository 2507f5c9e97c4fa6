"""Headers of MSSanté (ECO.2.4.x, 2.2.8) and those of every mail (ECO.2.2.1, 2.2.2, 2.2.5)."""

import re
from collections.abc import Iterator
from typing import Final

from services.mss.domain.headers import CODE, addresses
from services.mss.domain.lint.mail import Mail
from services.mss.domain.lint.rules import Finding, Rule, rule
from services.mss.domain.mailboxes import ADDRESS, normalised
from socle.cda.metadata import patient_ins
from socle.cda.model import CdaHeader, PersonName
from socle.ids.hl7_datetime import parse_ts

_MESSAGE_ID: Final = re.compile(r"<[^<>\s@]+@[^<>\s@]+>")
_ANSWER: Final = re.compile(r"\s*(?:re|ré|rep|rép|aw)\s*:", re.IGNORECASE)
_RFC: Final = "RFC 5322 §3.6"


@rule("MSS-NIL", "X-MSS-NIL names the product on every mail",
      eco="ECO.2.4.3", segur="SC.MSS/CONF.16")  # fmt: skip
def nil(mail: Mail) -> Iterator[Finding]:
    expected = "X-MSS-NIL: the reference of the product in Convergence, for example DEV935997"
    values = mail.all("X-MSS-NIL")
    if not values or not values[0]:
        yield Finding("header:X-MSS-NIL", "it is missing", expected)
    elif len(values) > 1:
        yield Finding("header:X-MSS-NIL", f"it stands {len(values)} times", "once")
    elif not CODE.fullmatch(values[0]):
        yield Finding("header:X-MSS-NIL", "it is not a product's reference", expected)


@rule("MSS-CODECDA", "X-MSS-CODECDA lists the types of the CDA documents inside",
      eco="ECO.2.4.1", segur="SC.MSS/CONF.15")  # fmt: skip
def codecda(mail: Mail) -> Iterator[Finding]:
    path = "header:X-MSS-CODECDA"
    values = mail.all("X-MSS-CODECDA")
    inside = [header.code.code for header in mail.cda if header.code and header.code.code]
    expected = f"X-MSS-CODECDA: {','.join(inside)}"
    if not inside:
        if values and not _unreadable(mail):
            yield Finding(path, "it is there, and no CDA document is", "no such header")
        return
    if not values:
        yield Finding(path, "it is missing", expected)
        return
    if len(values) > 1:
        yield Finding(path, f"it stands {len(values)} times", "once, codes separated by commas")
    given = [code.strip() for code in values[0].split(",")]
    # Whether two documents of a type are named twice is not said: both are taken.
    if set(given) != set(inside) or len(given) not in (len(inside), len(set(inside))):
        shown = ",".join(code for code in given if CODE.fullmatch(code))
        yield Finding(path, f"it says {shown[:200] or 'nothing readable'}", expected)


def _unreadable(mail: Mail) -> bool:
    """A document is there that could not be read: what its code is cannot be said."""
    return any(not it.header and not it.is_pdf for it in mail.documents) or any(
        package.problems and not package.documents for package in mail.packages
    )


@rule("MSS-INS", "X-MSS-INS says whether the INS of the documents is qualified",
      eco="ECO.2.4.2", segur="SC.MSS/CONF.14")  # fmt: skip
def ins(mail: Mail) -> Iterator[Finding]:
    path = "header:X-MSS-INS"
    values = mail.all("X-MSS-INS")
    if not mail.cda:
        if values and not _unreadable(mail):
            yield Finding(path, "it is there, and no CDA document is", "no such header")
        return
    whole = all(map(carries_qualified_ins, mail.cda))
    if not values:
        yield Finding(path, "it is missing", f"X-MSS-INS: {'O' if whole else 'N'}")
    elif values[0] not in ("O", "N") or len(values) > 1:
        yield Finding(path, "it is neither O nor N, or stands several times", "O or N, once")
    elif values[0] == "O" and not whole:
        yield Finding(
            path, "it says O, and a document lacks the matricule with its OID, or one of four traits",
            "N; or matricule, OID, birth name, first given name, birth date and sex in the CDA",
        )  # fmt: skip
    elif values[0] == "N" and whole:
        yield Finding(
            path, "it says N, and the documents carry the matricule, its OID and the four traits",
            "O where the identity is qualified; else no INS in the CDA", "warning",
        )  # fmt: skip


def carries_qualified_ins(header: CdaHeader) -> bool:
    """Matricule, OID and four traits (spec: mss.md §1.7); the key is checked too."""
    patient = header.patient
    if patient is None or patient_ins(header) is None:
        return False
    name = patient.name or PersonName()
    sex = patient.gender.code if patient.gender else ""
    return bool(name.birth_family and name.birth_given and sex in ("M", "F")) and _is_day(
        patient.birth_time
    )


def _is_day(stamp: str) -> bool:
    try:
        return parse_ts(stamp).precision not in ("year", "month")
    except ValueError:
        return False


@rule("MSS-MES", "X-MSS-MES: FIN only towards a patient",
      eco="ECO.2.2.8", segur="SC.MSS/CONF.21",
      source="Volet transmission CDA R2 v2.1.2, mapping-mss; Référentiel #2 v1.0.1 as quoted",
      confidence="primary")  # fmt: skip
def mes(mail: Mail) -> Iterator[Finding] | None:
    values = mail.all("X-MSS-MES")
    return _mes(mail, values) if values else None


def _mes(mail: Mail, values: list[str]) -> Iterator[Finding]:
    if values != ["FIN"]:
        yield Finding("header:X-MSS-MES", "its value is another", "FIN, in capitals, once")
    if not mail.patients:
        yield Finding("header:X-MSS-MES", "no recipient is a patient", "no such header")


@rule("MSS-MESSAGE-ID", "every mail has its Message-ID",
      eco="ECO.2.2.1", segur="MSS/va1.12")  # fmt: skip
def message_id(mail: Mail) -> Iterator[Finding]:
    values = mail.all("Message-ID")
    if len(values) != 1:
        yield Finding("header:Message-ID", f"it stands {len(values)} times", f"once ({_RFC}.4)")
    elif not _MESSAGE_ID.fullmatch(values[0]):
        yield Finding("header:Message-ID", "it is not in the form of one", "<unique@domain>")


@rule("MSS-THREAD", "an answer names the mail that it answers",
      eco="ECO.2.2.2", segur="MSS/va1.08")  # fmt: skip
def thread(mail: Mail) -> Iterator[Finding] | None:
    answered, before = mail.first("In-Reply-To"), mail.first("References")
    is_answer = bool(answered or before or _ANSWER.match(mail.first("Subject")))
    return _thread(answered.split(), before.split()) if is_answer else None


def _thread(answered: list[str], before: list[str]) -> Iterator[Finding]:
    if not answered:
        yield Finding("header:In-Reply-To", "it is missing", "the Message-ID that is answered")
    if not before:
        yield Finding(
            "header:References", "it is missing", "the thread's Message-IDs, that one last"
        )
    elif answered and answered[-1] not in before:
        yield Finding("header:References", "it does not name what In-Reply-To names",
                      "the thread's Message-IDs, that one last (RFC 5322 §3.6.4)")  # fmt: skip


@rule("MSS-REPLY-TO", "an applicative mailbox says where to answer", eco="ECO.2.2.5")
def reply_to(mail: Mail) -> Iterator[Finding] | None:
    values = mail.all("Reply-To")
    applies = bool(values) or mail.passage.sender_kind == "APP"
    return _reply_to(mail, values) if applies else None


def _reply_to(mail: Mail, values: list[str]) -> Iterator[Finding]:
    path = "header:Reply-To"
    if not values:
        # Whether v1.0.1 makes it mandatory is not known from the quotation.
        yield Finding(path, "it is missing", "a mailbox that people read", "warning")
    for _, address in addresses(values):
        if not ADDRESS.fullmatch(normalised(address)):
            yield Finding(path, "it is outside the trust space", "an address of the trust space")


def authors(values: list[str]) -> list[str]:
    """The addresses in the fields From."""
    return [normalised(address) for _, address in addresses(values)]


@rule("MSS-ORIGIN", "From is the mailbox that sent, and the mail is dated",
      source=f"{_RFC}.1, §3.6.2", confidence="our choice")  # fmt: skip
def origin(mail: Mail) -> Iterator[Finding]:
    senders = authors(mail.all("From"))
    if len(senders) != 1 or len(mail.all("From")) != 1:
        yield Finding("header:From", f"it names {len(senders)} mailboxes", "one")
    elif mail.sender and senders[0] != normalised(mail.sender):
        yield Finding(
            "header:From", "it is not the sender of the envelope", "the same address", "warning"
        )
    if len(mail.all("Date")) != 1:
        yield Finding("header:Date", f"it stands {len(mail.all('Date'))} times", "once")


RULES: tuple[Rule, ...] = (nil, codecda, ins, mes, message_id, thread, reply_to, origin)
