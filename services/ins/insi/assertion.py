"""The assertion of a professional in wsse:Security: signed with a CPx, or unsigned beside a PSC
token (spec: ins.md §4.4). Software that comes with a certificate sends none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from lxml import etree

from services.ins.insi.names import SAML, WSSE
from socle.problems import Problem
from socle.saml.signature import NotSigned, verify_signature

SOURCE = "SEL-MP-043 v05 §3.2, at second hand; spec: ins.md §4.4"
LIFE = timedelta(hours=1)
SKEW = timedelta(minutes=5)
CPS, PSC = "CPS", "PSC"
PATH = "/Envelope/Header/Security/Assertion"
_ISSUER_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"
_REQUIRED = ("identifiantFacturation", "secteurActivite")


@dataclass(frozen=True, slots=True)
class Assertion:
    """`signed` says that a certificate that is trusted here vouches for what was read."""

    qualifier: str
    name: str = field(repr=False)
    signed: bool
    problems: tuple[Problem, ...]

    @property
    def authenticates(self) -> bool:
        """Only a signature does: an unsigned one says nothing that its sender could not invent."""
        return self.signed and not self.problems


def read_assertion(
    headers: Sequence[etree._Element], authorities: Sequence[x509.Certificate], now: datetime
) -> Assertion | None:
    """None where no assertion was sent; `problems` holds everything that is wrong with one."""
    securities = [header for header in headers if header.tag == f"{{{WSSE}}}Security"]
    found = [one for security in securities for one in security.iterfind(f"{{{SAML}}}Assertion")]
    if not found:
        return None
    of_professional = [one for one in found if _qualifier(one) in (CPS, PSC)]
    if len(securities) > 1 or len(of_professional) != 1:
        message = f"{len(securities)} Security, {len(of_professional)} assertions of CPS or PSC"
        problem = _problem("SAML-COUNT", PATH, message, "one of each")
        return Assertion("", "", False, (problem,))
    return _read(of_professional[0], authorities, now)


def _read(
    element: etree._Element, authorities: Sequence[x509.Certificate], now: datetime
) -> Assertion:
    problems: list[Problem] = []
    qualifier, signed = _qualifier(element), False
    if qualifier == CPS:
        try:
            element = verify_signature(element, authorities, now).element
            signed = True
        except NotSigned as refusal:
            problems.append(
                _problem(
                    "SAML-SIGNATURE",
                    f"{PATH}/Signature",
                    str(refusal),
                    "an enveloped rsa-sha256 signature of the assertion, by a certificate of the "
                    "sandbox's authority (`socle ca client`) or of SOCLE_INS_ASSERTION_CA",
                )
            )
    if element.get("Version") != "2.0":
        problems.append(_problem("SAML-VERSION", f"{PATH}/@Version", "another version", "2.0"))
    problems += _time_problems(element.get("IssueInstant", ""), now)
    problems += _issuer_problems(element, qualifier)
    name = _text(element, f"{{{SAML}}}Subject/{{{SAML}}}NameID")
    if not name:
        problems.append(
            _problem("SAML-SUBJECT", f"{PATH}/Subject/NameID", "it is empty", "who calls")
        )
    problems += _attribute_problems(element)
    return Assertion(qualifier, name, signed, tuple(problems))


def _qualifier(element: etree._Element) -> str:
    name = element.find(f"{{{SAML}}}Subject/{{{SAML}}}NameID")
    return "" if name is None else name.get("NameQualifier", "")


def _time_problems(issued: str, now: datetime) -> list[Problem]:
    try:
        at = datetime.fromisoformat(issued)
    except ValueError:
        at = None
    path = f"{PATH}/@IssueInstant"
    if at is None or at.tzinfo is None:
        return [_problem("SAML-TIME", path, "no instant", "YYYY-MM-DDThh:mm:ssZ")]
    if not now - LIFE <= at <= now + SKEW:
        told = "older than an hour" if at < now else "in the future"
        return [_problem("SAML-TIME", path, f"it is {told}", "less than an hour ago")]
    return []


def _issuer_problems(element: etree._Element, qualifier: str) -> list[Problem]:
    """The format is only asked of who signs: the example with PSC was not seen whole."""
    issuer = element.find(f"{{{SAML}}}Issuer")
    path = f"{PATH}/Issuer"
    if issuer is None or not (issuer.text or "").strip():
        return [_problem("SAML-ISSUER", path, "it is missing or empty", "who signed")]
    if qualifier == CPS and issuer.get("Format") != _ISSUER_FORMAT:
        return [_problem("SAML-ISSUER", f"{path}/@Format", "another format", _ISSUER_FORMAT)]
    return []


def _attribute_problems(element: etree._Element) -> list[Problem]:
    """`codeSpecialiteAMO` is for physicians only, so its absence proves nothing."""
    given = {
        attribute.get("Name", ""): _text(attribute, f"{{{SAML}}}AttributeValue")
        for attribute in element.iterfind(f"{{{SAML}}}AttributeStatement/{{{SAML}}}Attribute")
    }
    return [
        _problem("SAML-ATTRIBUTE", f"{PATH}/AttributeStatement/{name}", "it is missing", "a value")
        for name in _REQUIRED
        if not given.get(name)
    ]


def _text(element: etree._Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _problem(rule: str, path: str, message: str, expected: str) -> Problem:
    return Problem(f"INS-{rule}", path, message, expected, source=SOURCE)
