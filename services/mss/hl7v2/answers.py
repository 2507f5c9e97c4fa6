"""What goes back: ACK (HL7 v2.5 or v2.6) at once, ZAM (v2.6) for what happens later."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from services.mss.domain.integration_notice import ERRORS
from services.mss.hl7v2.er7 import CHARSETS, Message, escaped, write
from services.mss.hl7v2.order import LABELS, Fault
from services.mss.hl7v2.participants import Addressee
from socle.clock import PARIS

_PROFILE: Final = "2.1^CISIS_CDA_HL7_V2"
_CHARSET_NAMES: Final = {python: name for name, python in CHARSETS.items()}
_OK: Final = "^^expandedYes-NoIndicator"
SMTP_ERRORS: Final = {
    101: "Le serveur n'arrive pas à se connecter.",
    111: "Connexion refusée ou impossibilité d'ouvrir un flux SMTP.",
    251: "Le compte du destinataire n'est pas sur le serveur actuel.",
    252: "Le serveur ne peut pas vérifier l'utilisateur.",
    420: "Problème de connexion de temporisation.",
    421: "Le service est indisponible en raison d'un problème de connexion.",
    422: "La boîte aux lettres du destinataire a dépassé sa limite de stockage.",
    431: "Espace insuffisant sur le disque, ou état de mémoire insuffisante.",
    432: "Mot de passe de transition nécessaire",
    441: "Le serveur du destinataire ne répond pas",
    442: "La connexion a été interrompue pendant la transmission",
    450: "Action non effectuée : boîte-aux-lettres non disponible",
    451: "Action arrêtée : erreur de traitement",
    452: "Action non effectuée : manque de ressources système.",
    500: "Erreur de syntaxe, commande non reconnue",
    501: "Erreur de syntaxe dans des paramètres ou arguments de commande",
    502: "Commande non implémentée",
    503: "Mauvaise séquence de commandes",
    504: "Paramètre de commande non implémenté",
    510: "Mauvaise adresse courriel",
    512: "Le serveur hôte du nom de domaine du destinataire est introuvable.",
    513: "Le type d'adresse est incorrect.",
    523: "La taille totale de votre mailing dépasse les limites du serveur destinataire.",
    530: "L'authentification est requise.",
    541: "L'adresse du destinataire a rejeté votre message.",
    550: "Action non effectuée : boîte aux lettres non disponible",
    551: "Le relais est interrompu : l'adresse n'est pas hébergée localement par le serveur.",
    552: "Action abandonnée - Allocation de stockage dépassée.",
    553: "La commande a été abandonnée car le nom de la boîte aux lettres n'est pas valide.",
    554: "L'envoi a échoué.",
}
"""The table SMTPERRORCODE; a code that it lacks is given as 554."""

DMP_ERRORS: Final = {
    "DMPClosed": "DMP fermé",
    "DMPInvalidCertificate": "Certificat de signature non valide",
    "InvalidDocumentContent": "Contenu du document non conforme",
    "LocalPolicyRestrictionError": "Opération refusée par les règles du DMP",
    "XDSDocumentUniqueIdError": "Document introuvable",
    "XDSDuplicateUniqueIdInRegistry": "Identifiant de document déjà utilisé",
    "XDSMetadataUpdateError": "Modification refusée",
    "XDSNonIdenticalHash": "Identifiant déjà utilisé par un document différent",
    "XDSPatientIdDoesNotMatch": "Identité du patient discordante",
    "XDSRegistryDeprecatedDocumentError": "Document déjà remplacé",
    "XDSRegistryMetadataError": "Métadonnées incorrectes",
    "XDSRegistryNotAvailable": "DMP indisponible",
    "XDSReplaceFailed": "Document à remplacer introuvable",
    "XDSRepositoryMetadataError": "Métadonnées incorrectes",
    "XDSUnknownPatientId": "Patient inconnu du DMP, ou INS non qualifié",
}
"""Our labels, save the first, which an example of the guide has: the DMP's own list (SEL-MP-037, annex
A7-1) is not public. A code that is not here is given with what the DMP says of it."""

Code = Literal["AA", "AE", "AR"]


@dataclass(frozen=True, slots=True)
class Parties:
    """Of the message that is answered: who sent it is whom the answer goes to."""

    application: str
    facility: str
    receiving_application: str = ""
    receiving_facility: str = ""
    processing: str = "P"

    @classmethod
    def of(cls, message: Message) -> "Parties":
        msh = message.msh
        return cls(msh(3), msh(4), msh(5), msh(6), msh(11)[:1] or "P")


def acknowledge(
    message: Message, code: Code, faults: Sequence[Fault], answer_id: str, at: datetime
) -> bytes:
    msh = message.msh
    event = escaped(msh(9, 2))
    kind = f"ACK^{event}^ACK" if event else "ACK"
    head = _msh(
        Parties.of(message), kind, answer_id, at, escaped(msh(12)) or "2.5", message.charset
    )
    errors = [
        ["ERR", "", it.location, _coded(it.code, LABELS[it.code], "messageErrorCondition"), "E", "", "",
         "", escaped(it.text)]
        for it in faults
    ]  # fmt: skip
    return write([head, ["MSA", code, escaped(msh(10))], *errors], message.charset)


def unreadable(fault: Fault, answer_id: str, at: datetime) -> bytes:
    """To what has no MSH that could be read: whom it goes to is not known."""
    error = ["ERR", "", fault.location, _coded(fault.code, LABELS[fault.code], "messageErrorCondition"),
             "E", "", "", "", escaped(fault.text)]  # fmt: skip
    return write(
        [_msh(Parties("", ""), "ACK", answer_id, at, "2.5", "utf-8"), ["MSA", "AE", ""], error]
    )


@dataclass(frozen=True, slots=True)
class Accepted:
    """The message whose documents were sent: `control_id` is its MSH-10."""

    parties: Parties
    control_id: str


def reception_by_mail(
    accepted: Accepted, addressee: Addressee, smtp_code: int | None, answer_id: str, at: datetime
) -> bytes:
    """ZAM^Z02: the mail server of a recipient took it, or why not (`smtp_code`)."""
    error = None
    if smtp_code is not None:
        known = smtp_code if smtp_code in SMTP_ERRORS else 554
        error = _coded(known, SMTP_ERRORS[known], "SMTPERRORCODE")
    return _on_recipient(
        accepted, "Z02", ("ACK_RECEPTION_MSS", "Accusé de réception MSSanté"),
        ("DESTINATAIRE_MSS", "Destinataire MSSanté"), addressee, error, answer_id, at,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class DmpError:
    """`code` is the DMP's, `text` what it says to people."""

    code: str
    text: str = ""

    @property
    def coded(self) -> str:
        label = DMP_ERRORS.get(self.code) or self.text[:200]
        return f"{escaped(self.code)}^{escaped(label)}^DMP_ERROR_CODE"


def reception_by_dmp(
    accepted: Accepted, error: DmpError | None, answer_id: str, at: datetime
) -> bytes:
    """ZAM^Z01: the DMP has done what was asked, or why not. What it says to people stands in ERR-8."""
    observed = _observation(
        1, "CWE", ("ACK_RECEPTION_DMP", "Accusé de réception DMP"), escaped(accepted.control_id),
        _said(error is None),
    )  # fmt: skip
    failed = None if error is None else _failed(error.coded, error.text)
    return _business(accepted, "Z01", [observed], failed, answer_id, at)


def reading(
    accepted: Accepted, reader: Addressee, error: "ReadError | None", answer_id: str, at: datetime
) -> bytes:
    """ZAM^Z03: it was read or integrated, or the integration failed."""
    coded = _coded(error.code, error.label, "applicationErrorCondition") if error else None
    return _on_recipient(
        accepted, "Z03", ("ACK_LECTURE_MSS", "Accusé de lecture"),
        ("LECTEUR_MSS", "Lecteur du courriel MSSanté"), reader, coded, answer_id, at,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReadError:
    """Of table applicationErrorCondition; a code that it lacks is 906."""

    code: int
    label: str = field(default="")

    @classmethod
    def of(cls, code: str, label: str) -> "ReadError":
        number = int(code) if code.isascii() and code.isdecimal() and int(code) in ERRORS else 906
        return cls(number, label[:200] or ERRORS[number])


def _on_recipient(
    accepted: Accepted, event: str, what: tuple[str, str], whom: tuple[str, str], addressee: Addressee,
    error: str | None, answer_id: str, at: datetime,
) -> bytes:  # fmt: skip
    observed = [
        _observation(1, "CWE", what, escaped(accepted.control_id), _said(error is None)),
        _observation(
            2, "XTN", whom, escaped(addressee.identifier), f"^^X.400^{escaped(addressee.address)}"
        ),
    ]
    failed = None if error is None else _failed(error)
    return _business(accepted, event, observed, failed, answer_id, at)


def _business(
    accepted: Accepted, event: str, observed: Sequence[list[str]], failed: list[str] | None,
    answer_id: str, at: datetime,
) -> bytes:  # fmt: skip
    head = _msh(accepted.parties, f"ZAM^{event}^ZAM_Z01", answer_id, at, "2.6", "utf-8")
    segments = [[*head, "", "", _PROFILE], ["EVN", "", _stamp(at)], *observed]
    return write([*segments, failed] if failed else segments)


def _said(yes: bool) -> str:
    return ("Y" if yes else "N") + _OK


def _failed(error: str, text: str = "") -> list[str]:
    """ERR-5 is the application's own code, ERR-8 a text for people."""
    return ["ERR", "", "", _coded(207, LABELS[207], "messageErrorCondition"), "E", error, "", "",
            escaped(text[:500])]  # fmt: skip


def _observation(
    number: int, kind: str, what: tuple[str, str], sub_id: str, value: str
) -> list[str]:
    code = f"{what[0]}^{escaped(what[1])}^AckMetierZAM"
    return ["OBX", str(number), kind, code, sub_id, value, "", "", "", "", "", "F"]


def _msh(
    parties: Parties, kind: str, answer_id: str, at: datetime, version: str, charset: str
) -> list[str]:
    """Fields 1 to 18; the parties change their places."""
    return [
        "MSH", "^~\\&", escaped(parties.receiving_application), escaped(parties.receiving_facility),
        escaped(parties.application), escaped(parties.facility), _stamp(at), "", kind, answer_id,
        escaped(parties.processing), version, "", "", "", "", "FRA", _CHARSET_NAMES[charset],
    ]  # fmt: skip


def _stamp(at: datetime) -> str:
    return at.astimezone(PARIS).strftime("%Y%m%d%H%M%S")


def _coded(code: int, label: str, system: str) -> str:
    return f"{code}^{escaped(label)}^{system}"
