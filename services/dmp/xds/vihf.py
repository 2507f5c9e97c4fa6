"""The VIHF: who calls the DMP, for which patient, why and with which software (spec: dmp.md §1.6)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from lxml import etree

from socle.ids.ins import Ins
from socle.problems import Problem
from socle.saml.signature import NotSigned, verify_signature
from socle.soap.parsing import text_of
from socle.xds.names import WSSE

SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
SOURCE: Final = "spec dmp.md §1.6 (VIHF)"
PATH: Final = "/Envelope/Header/Security/Assertion"
SKEW: Final = timedelta(minutes=5)
_ROLE: Final = "urn:oasis:names:tc:xacml:2.0:subject:role"
_RESOURCE: Final = "urn:oasis:names:tc:xacml:2.0:resource:resource-id"
_PURPOSE: Final = "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse"
_SUBJECT: Final = "urn:oasis:names:tc:xspa:1.0:subject:subject-id"
_REQUIRED: Final = (
    "Identifiant_Structure", "Secteur_Activite", _ROLE, _SUBJECT, "LPS_ID", "LPS_Nom",
    "LPS_Version", "LPS_ID_HOMOLOGATION_DMP",
)  # fmt: skip
_ALLOWED: Final = {
    "VIHF_Version": ("3.0", "4.0"),
    "Authentification_Mode": ("DIRECTE", "INDIRECTE", "INDIRECTE_RENFORCEE"),
    "Ressource_URN": ("urn:dmp",),
    _PURPOSE: ("normal", "bris_de_glace", "centre_15"),
}


@dataclass(frozen=True, slots=True)
class Vihf:
    """`signed` says that a certificate that is trusted here vouches for what was read.

    `subject` is a name to show; `roles` are codes: a profession, then a specialty.
    """

    name: str = field(repr=False)
    structure: str
    purpose: str
    patient: Ins | None
    subject: str = field(repr=False)
    roles: tuple[str, ...]
    mode: str
    signed: bool
    problems: tuple[Problem, ...]
    """What the signature and the times lack: with any of these it lets nobody in."""
    gaps: tuple[Problem, ...]
    """What its attributes lack."""

    @property
    def authenticates(self) -> bool:
        return self.signed and not self.problems and bool(self.name)


def read_vihf(
    headers: Sequence[etree._Element], authorities: Sequence[x509.Certificate], now: datetime
) -> Vihf | None:
    """None where no assertion was sent."""
    securities = [header for header in headers if header.tag == f"{{{WSSE}}}Security"]
    found = [one for security in securities for one in security.iterfind(f"{{{SAML}}}Assertion")]
    if not found:
        return None
    if len(found) != 1 or len(securities) != 1:
        problem = _problem(
            "COUNT", PATH, f"{len(found)} assertions", "one wsse:Security, one of it"
        )
        return Vihf("", "", "", None, "", (), "", False, (problem,), ())
    element, problems = found[0], []
    try:
        element = verify_signature(element, authorities, now, sha1=True).element
        signed = True
    except NotSigned as refusal:
        signed = False
        problems.append(
            _problem(
                "SIGNATURE",
                f"{PATH}/Signature",
                str(refusal),
                "an enveloped RSA signature by a certificate of the sandbox's authority "
                "(`socle ca client`) or of SOCLE_DMP_VIHF_CA",
            )
        )
    problems += _time_problems(element, now)
    attributes = _attributes(element)
    name = (element.findtext(f"{{{SAML}}}Subject/{{{SAML}}}NameID") or "").strip()
    return Vihf(
        name=name,
        structure=_first(attributes, "Identifiant_Structure"),
        purpose=_first(attributes, _PURPOSE),
        patient=Ins.from_cx(_first(attributes, _RESOURCE)),
        subject=_first(attributes, _SUBJECT),
        roles=tuple(attributes.get(_ROLE, ())),
        mode=_first(attributes, "Authentification_Mode"),
        signed=signed,
        problems=tuple(problems),
        gaps=tuple(_gaps(attributes, name)),
    )


def _attributes(element: etree._Element) -> dict[str, list[str]]:
    """A value is text, or an HL7 code whose `code` counts."""
    found: dict[str, list[str]] = {}
    for attribute in element.iterfind(f"{{{SAML}}}AttributeStatement/{{{SAML}}}Attribute"):
        for value in attribute.iterfind(f"{{{SAML}}}AttributeValue"):
            coded = [one.get("code") for one in value if isinstance(one.tag, str)]
            text = next((code for code in coded if code), None) or text_of(value)
            found.setdefault(attribute.get("Name", ""), []).append(text.strip())
    return found


def _first(attributes: dict[str, list[str]], name: str) -> str:
    return next(iter(attributes.get(name, ())), "")


def _gaps(attributes: dict[str, list[str]], name: str) -> list[Problem]:
    gaps = [] if name else [_gap("NameID", "it is empty", "who calls: PS_IdNat")]
    gaps += [
        _gap(required, "it is missing", "a value")
        for required in _REQUIRED
        if not _first(attributes, required)
    ]
    gaps += [
        _gap(allowed, "it is missing or another", " or ".join(values))
        for allowed, values in _ALLOWED.items()
        if _first(attributes, allowed) not in values
    ]
    return gaps


def _time_problems(element: etree._Element, now: datetime) -> list[Problem]:
    """Conditions where there are any; IssueInstant always."""
    conditions = element.find(f"{{{SAML}}}Conditions")
    bounds = (
        ("@IssueInstant", element.get("IssueInstant"), True),
        (
            "Conditions/@NotBefore",
            None if conditions is None else conditions.get("NotBefore"),
            True,
        ),
        (
            "Conditions/@NotOnOrAfter",
            None if conditions is None else conditions.get("NotOnOrAfter"),
            False,
        ),
    )
    problems = []
    for name, text, is_start in bounds:
        if text is None and name != "@IssueInstant":
            continue
        at = _instant(text or "")
        path = f"{PATH}/{name}"
        if at is None:
            problems.append(_problem("TIME", path, "no instant", "YYYY-MM-DDThh:mm:ssZ"))
        elif is_start and at > now + SKEW:
            problems.append(_problem("TIME", path, "it is in the future", "now, or before"))
        elif not is_start and at <= now - SKEW:
            problems.append(_problem("TIME", path, "it is over", "later than now"))
    return problems


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None


def _gap(name: str, message: str, expected: str) -> Problem:
    short = name.rpartition(":")[2]
    return _problem("ATTRIBUTE", f"{PATH}/AttributeStatement/{short}", message, expected)


def _problem(rule: str, path: str, message: str, expected: str) -> Problem:
    return Problem(f"DMP-VIHF-{rule}", path, message, expected, source=SOURCE)
