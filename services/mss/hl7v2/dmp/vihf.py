"""The VIHF of a platform in indirect authentication (guide 2.1.2, mapping; spec: dmp.md §1.6)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from cryptography import x509
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from services.mss.hl7v2.dmp.deposit import HIDDEN_FROM_REPRESENTATIVES, Deposit
from services.mss.letters import SOURCE_ID
from socle import __version__
from socle.idgen import random_uuid
from socle.ids import oids
from socle.pki.certificates import certificate_pem
from socle.pki.issuing import Issued
from socle.saml.signature import DSIG

WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
HL7: Final = "urn:hl7-org:v3"
_UNPREFIXED: Any = None
"""lxml's key of the default namespace, which its types leave out."""
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_X509_NAME: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"
_ROLE: Final = "urn:oasis:names:tc:xacml:2.0:subject:role"
_PURPOSES: Final = "1.2.250.1.213.1.1.4.248"
HOMOLOGATION: Final = "SOCLE-SANDBOX"
"""LPS_ID_HOMOLOGATION_DMP: a product has its own, this one has none."""


@dataclass(frozen=True, slots=True)
class Role:
    code: str
    system: str
    display: str = ""


AUTOMATE: Final = Role("AUTOMATE", "1.2.250.1.213.1.1.4.6", "AUTOMATE")
"""Where nothing is known of whoever asks (guide, mapping)."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the platform knows beside the message: the roles of whoever asks, a profession before a
    specialty, and the sector of the structure (TRE_R02, such as SA01)."""

    roles: Sequence[Role] = field(default=(AUTOMATE,))
    sector: str = ""


def security_header(
    deposit: Deposit, standing: Standing, seal: Issued, at: datetime
) -> etree._Element:
    """wsse:Security with the signed assertion. `at` is real time: the DMP looks at its age."""
    security = etree.Element(f"{{{WSSE}}}Security", nsmap={"wsse": WSSE})
    security.append(_signed(_assertion(deposit, standing, seal.certificate, at), seal))
    return security


def _assertion(
    deposit: Deposit, standing: Standing, certificate: x509.Certificate, at: datetime
) -> etree._Element:
    stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    root = etree.Element(
        f"{{{SAML}}}Assertion", nsmap={_UNPREFIXED: SAML, "xsi": _XSI},
        ID=f"_{random_uuid()}", IssueInstant=stamp, Version="2.0",
    )  # fmt: skip
    _child(root, "Issuer", issuer_name(certificate), Format=_X509_NAME)
    etree.SubElement(root, f"{{{DSIG}}}Signature", nsmap={"ds": DSIG}, Id="placeholder")
    _child(_child(root, "Subject"), "NameID", deposit.requester.name_id)
    context = _child(_child(root, "AuthnStatement", AuthnInstant=stamp), "AuthnContext")
    _child(context, "AuthnContextClassRef", "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified")
    statement = _child(root, "AttributeStatement")
    for name, text in _texts(deposit, standing):
        _child(_attribute(statement, name), "AttributeValue", text)
    purpose = Role("normal", _PURPOSES, "Accès normal")
    _coded(
        _attribute(statement, "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse"),
        "PurposeOfUse",
        purpose,
    )
    roles = _attribute(statement, _ROLE)
    for role in standing.roles:
        _coded(roles, "Role", role)
    if deposit.is_secret:
        _coded(
            _attribute(
                statement, "urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code"
            ),
            "ConfidentialityCode",
            Role(
                HIDDEN_FROM_REPRESENTATIVES,
                oids.VISIBILITY,
                "Non visible par les représentants légaux du patient",
            ),
        )
    return root


def _texts(deposit: Deposit, standing: Standing) -> Sequence[tuple[str, str]]:
    asks = deposit.requester
    return (
        ("VIHF_Version", "4.0"),
        ("Authentification_Mode", "INDIRECTE"),
        ("Identifiant_Structure", asks.structure),
        ("Secteur_Activite", f"{standing.sector}^{oids.FACILITY_TYPE}"),
        ("urn:oasis:names:tc:xacml:2.0:resource:resource-id", deposit.patient.cx),
        ("Ressource_URN", "urn:dmp"),
        ("urn:oasis:names:tc:xspa:1.0:subject:subject-id", asks.shown or asks.name_id),
        ("LPS_ID", SOURCE_ID),
        ("LPS_Nom", "Socle"),
        ("LPS_Version", __version__),
        ("LPS_ID_HOMOLOGATION_DMP", HOMOLOGATION),
    )


def issuer_name(certificate: x509.Certificate) -> str:
    """In the order of the certificate, as the guide's example has it: C=FR, O=…, CN=…."""
    return ", ".join(f"{it.rfc4514_attribute_name}={it.value!s}" for it in certificate.subject)


def _signed(assertion: etree._Element, seal: Issued) -> etree._Element:
    """Enveloped, exc-c14n, rsa-sha256, over the assertion alone."""
    signer = XMLSigner(
        signature_algorithm=SignatureMethod.RSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    signed: Any = signer.sign(
        assertion, key=seal.key, cert=certificate_pem(seal.certificate).decode(),
        reference_uri=str(assertion.get("ID")), id_attribute="ID",
    )  # fmt: skip
    element: etree._Element = signed
    return element


def _attribute(statement: etree._Element, name: str) -> etree._Element:
    return _child(statement, "Attribute", Name=name)


def _coded(attribute: etree._Element, name: str, code: Role) -> None:
    element = etree.SubElement(
        _child(attribute, "AttributeValue"), f"{{{HL7}}}{name}", nsmap={_UNPREFIXED: HL7},
        code=code.code, codeSystem=code.system,
    )  # fmt: skip
    if code.display:
        element.set("displayName", code.display)
    element.set(f"{{{_XSI}}}type", "CE")


def _child(parent: etree._Element, name: str, text: str = "", **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, f"{{{SAML}}}{name}", attributes)
    if text:
        element.text = text
    return element
