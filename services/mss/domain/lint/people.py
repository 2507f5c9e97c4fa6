"""Who writes and who is written to (ECO.2.2.6, ECO.2.2.7, ECO.2.3.1, ECO.3.1.6)."""

from collections.abc import Iterator
from typing import Final

from services.mss.domain.headers import addresses
from services.mss.domain.lint.headers import carries_qualified_ins
from services.mss.domain.lint.mail import Mail
from services.mss.domain.lint.rules import Finding, Rule, rule
from services.mss.domain.mailboxes import normalised
from services.mss.domain.naming import without_accents
from socle.cda.metadata import patient_ins
from socle.ids.ins import has_valid_key

_LABEL: Final = (
    "<Titre>_<Prénom>_<NOM>_<Entité fonctionnelle>, of which Prénom and NOM are mandatory"
)
MAX_TO_PATIENT: Final = 25 * 1024 * 1024


@rule("MSS-LABEL", "From shows who writes",
      eco="ECO.2.2.7", segur="MSS/va1.16")  # fmt: skip
def label(mail: Mail) -> Iterator[Finding]:
    shown, address = next(iter(addresses([mail.first("From")])), ("", ""))
    path, kind = "header:From", mail.passage.sender_kind
    if not shown or normalised(shown) == normalised(address):
        expected = _LABEL if kind == "PER" else "the name of the service, the team or the software"
        yield Finding(path, "it has no label", expected)
    elif kind == "PER" and not _is_of_a_person(shown):
        yield Finding(path, "its label is not in the form of a person's", _LABEL)


def _is_of_a_person(shown: str) -> bool:
    """NOM in capitals is the second part, or the third after a title."""
    parts = [part.strip() for part in shown.split("_")]
    if len(parts) < 2 or not all(parts[:2]):
        return False
    return any(_is_capital(part) for part in parts[1:3])


def _is_capital(part: str) -> bool:
    return any(map(str.isalpha, part)) and part == without_accents(part).upper()


@rule("MSS-USER-ADDRESS", "a patient is written to at the address of a qualified INS",
      eco="ECO.2.2.6", segur="SC.MSS/UX.32")  # fmt: skip
def user_address(mail: Mail) -> Iterator[Finding] | None:
    return _user_address(mail) if mail.patients else None


def _user_address(mail: Mail) -> Iterator[Finding]:
    for address in mail.patients:
        if not has_valid_key(address.partition("@")[0].upper()):
            yield Finding("envelope:RCPT", "the address is made of no INS, or its key is wrong",
                          "matricule and key, 15 characters, @patient.mssante.fr")  # fmt: skip
    addresses = {normalised(address) for address in mail.patients}
    for number, header in enumerate(mail.cda, start=1):
        path = f"document[{number}]/recordTarget"
        ins = patient_ins(header)
        if ins is None or not carries_qualified_ins(header):
            yield Finding(path, "its INS is not qualified, and a patient is written to",
                          "matricule, OID and traits; or no mail to the patient")  # fmt: skip
        elif normalised(ins.citizen_address) not in addresses:
            yield Finding("envelope:RCPT", "the document is about another than the patient written to",
                          "the address of the patient of the CDA, a child's own included")  # fmt: skip


@rule("MSS-SIZE", "a mail to a patient has 25 MB at most", segur="MSS/va1.13",
      source="ENS Messagerie V1.3 §6 as quoted (spec: mss.md §1.6)")  # fmt: skip
def size(mail: Mail) -> Iterator[Finding] | None:
    return _size(mail) if mail.patients else None


def _size(mail: Mail) -> Iterator[Finding]:
    if mail.size > MAX_TO_PATIENT:
        yield Finding(
            "body", f"{mail.size} bytes", f"{MAX_TO_PATIENT} at most, attachments included"
        )


@rule("MSS-DSN", "a delivery report can be asked for", eco="ECO.2.3.1", segur="MSS/va1.15")
def delivery_report(mail: Mail) -> Iterator[Finding] | None:
    """What is asked, is asked rightly by SMTP itself; that it never is, the summary shows."""
    return iter(()) if mail.passage.asks_delivery_report else None


@rule("MSS-MDN", "a read receipt is asked for at the sender's own address",
      eco="ECO.3.1.6", segur="MSS/va1.14",
      source="RFC 8098 §2.1; volet Transmission au LPS v1.1, struct-msg-mdn", confidence="primary")  # fmt: skip
def read_receipt(mail: Mail) -> Iterator[Finding] | None:
    values = mail.all("Disposition-Notification-To")
    return _read_receipt(mail, values) if values else None


def _read_receipt(mail: Mail, values: list[str]) -> Iterator[Finding]:
    asked = [normalised(address) for _, address in addresses(values)]
    if len(asked) != 1 or len(values) > 1:
        yield Finding(
            "header:Disposition-Notification-To", f"it names {len(asked)} addresses", "one"
        )
    elif mail.sender and asked[0] != normalised(mail.sender):
        yield Finding("header:Disposition-Notification-To", "it is not the Return-Path: no receipt is sent "
                      "automatically then", "the address of the sender", "warning")  # fmt: skip


RULES: tuple[Rule, ...] = (label, user_address, size, delivery_report, read_receipt)
