"""The INS: a matricule (NIR or NIA) that never travels without the OID that says which it is.

Sources: IHE France data types v1.8.2 and PAM v2.11.2, FR Core, CI-SIS structuration minimale
v1.16.7, INSi WSDL 1.5.0. Two people of different OIDs may carry the same matricule (an incident
of a real editor), therefore an `Ins` is compared on both.
"""

import re
from dataclasses import dataclass, field
from typing import Final

NIR: Final = "1.2.250.1.213.1.4.8"
NIA: Final = "1.2.250.1.213.1.4.9"
NIR_TEST: Final = "1.2.250.1.213.1.4.10"
NIR_DEMO: Final = "1.2.250.1.213.1.4.11"
INS_OIDS: Final = frozenset({NIR, NIA, NIR_TEST, NIR_DEMO})

CITIZEN_DOMAIN: Final = "patient.mssante.fr"
FHIR_TYPE_SYSTEM: Final = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203"

INS_FHIR_TYPES: Final = {
    NIR: "INS-NIR",
    NIA: "INS-NIA",
    NIR_TEST: "INS-NIR-TEST",
    NIR_DEMO: "INS-NIR-DEMO",
}
_LABELS: Final = "NIR .8, NIA .9, NIR de test .10, NIR de démonstration .11"

# Only the department of birth may hold a letter: Corsica, 2A and 2B.
_MATRICULE: Final = re.compile(r"[0-9]{5}(?:[0-9]{2}|2[AB])[0-9]{6}")
_CX: Final = re.compile(r"([^^&]*)\^\^\^([^^&]*)&([^^&]*)&ISO(?:\^([^^&]*).*)?")


def ins_key(matricule: str) -> str:
    """97 minus the remainder by 97; Corsica counts as 19 (2A) or 18 (2B)."""
    if not _MATRICULE.fullmatch(matricule):
        raise ValueError("a matricule has 13 characters: digits, with 2A or 2B for Corsica")
    number = int(matricule.replace("A", "9").replace("B", "8"))
    if matricule[6] in "AB":
        # "2A" read as "29" is ten too high: the rule replaces 2A by 19 and 2B by 18.
        number -= 10**7
    return f"{97 - number % 97:02d}"


def has_valid_key(value: str) -> bool:
    """True for 15 characters whose last two are the key of the first thirteen."""
    matricule, key = value[:13], value[13:]
    return bool(_MATRICULE.fullmatch(matricule)) and ins_key(matricule) == key


@dataclass(frozen=True, slots=True)
class Ins:
    """`matricule` is kept out of `repr`, so that no log line or traceback can show it."""

    oid: str
    matricule: str = field(repr=False)

    def __post_init__(self) -> None:
        if self.oid not in INS_OIDS or not _MATRICULE.fullmatch(self.matricule):
            raise ValueError("not an INS; Ins.check says what is wrong with the input")

    @classmethod
    def check(cls, oid: str, value: str) -> tuple["Ins | None", list[str]]:
        """The INS, or every fault found. `value` has 13 characters, or 15 with its key."""
        faults = (
            [] if oid in INS_OIDS else [f"l'OID « {oid} » n'est pas celui d'un INS ({_LABELS})"]
        )
        if len(value) not in (13, 15):
            faults.append(
                f"le matricule a {len(value)} caractères au lieu de 13, ou 15 avec la clé"
            )
        elif not _MATRICULE.fullmatch(value[:13]):
            faults.append("le matricule n'est pas fait de chiffres (2A ou 2B pour la Corse)")
        elif len(value) == 15 and not has_valid_key(value):
            faults.append(f"la clé du matricule est fausse, {ins_key(value[:13])} attendue")
        return (None, faults) if faults else (cls(oid, value[:13]), [])

    @classmethod
    def despite_key(cls, oid: str, value: str) -> "Ins | None":
        """As check, for whoever has decided that a wrong key is no reason to refuse."""
        return cls.check(oid, value[:13] if len(value) == 15 else value)[0]

    @classmethod
    def from_cx(cls, cx: str, *, despite_key: bool = False) -> "Ins | None":
        """Reads both the XDS form (type NH) and the PAM form (type INS); None for any other."""
        match = _CX.fullmatch(cx)
        if match is None:
            return None
        read = cls.despite_key(match[3], match[1]) if despite_key else None
        return read or cls.check(match[3], match[1])[0]

    @classmethod
    def from_citizen_address(cls, address: str, oid: str = NIR) -> "Ins | None":
        """The address tells the matricule but not its OID: the caller knows which world it is in."""
        local, at, domain = address.strip().removeprefix("mailto:").partition("@")
        if not at or domain.lower() != CITIZEN_DOMAIN or len(local) != 15:
            return None
        return cls.check(oid, local.upper())[0]

    @property
    def key(self) -> str:
        return ins_key(self.matricule)

    @property
    def with_key(self) -> str:
        """The 15 characters that documents, addresses and FHIR carry."""
        return self.matricule + self.key

    @property
    def cx(self) -> str:
        """XDS metadata and DMP type the INS as NH (spec: XDS DocumentEntry.patientId)."""
        return f"{self.with_key}^^^&{self.oid}&ISO^NH"

    @property
    def cx_pam(self) -> str:
        """HL7v2 names the authority and types it INS; test and demo numbers use the NIR's name."""
        authority = "ASIP-SANTE-INS-NIA" if self.oid == NIA else "ASIP-SANTE-INS-NIR"
        return f"{self.with_key}^^^{authority}&{self.oid}&ISO^INS"

    @property
    def citizen_address(self) -> str:
        """The mailbox of Mon espace santé (spec: MSS ECO.3.1.5)."""
        return f"{self.with_key}@{CITIZEN_DOMAIN}"

    @property
    def fhir_identifier(self) -> dict[str, object]:
        """FR Core patient identifier: the waiting number is `temp`, the others `official`."""
        return {
            "use": "temp" if self.oid == NIA else "official",
            "type": {"coding": [{"system": FHIR_TYPE_SYSTEM, "code": INS_FHIR_TYPES[self.oid]}]},
            "system": f"urn:oid:{self.oid}",
            "value": self.with_key,
        }

    @property
    def cda_id(self) -> tuple[str, str]:
        """(root, extension) of `recordTarget/patientRole/id`."""
        return self.oid, self.with_key


def from_fhir(system: str, value: str) -> tuple[Ins | None, list[str]]:
    """Reads an identifier whose system is `urn:oid:<OID>`, the only form FR Core knows."""
    if not system.startswith("urn:oid:"):
        return None, [f"le système « {system} » n'est pas de la forme urn:oid:<OID>"]
    return Ins.check(system.removeprefix("urn:oid:"), value)
