"""Verifies the XML signature of an assertion: RSA, enveloped, over the assertion alone.

What is trusted afterwards is the element that signxml verified, never the one that stands in the
message: a second assertion with the same ID would otherwise be read in its stead.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

DSIG = "http://www.w3.org/2000/09/xmldsig#"
_EXPECTED = SignatureConfiguration(
    require_x509=True,
    location="./",
    expect_references=1,
    signature_methods=frozenset({SignatureMethod.RSA_SHA256}),
    digest_algorithms=frozenset({DigestAlgorithm.SHA256}),
)
# What older software still signs with, and some services still take (spec: dmp.md §1.6).
_WITH_SHA1 = replace(
    _EXPECTED,
    signature_methods=_EXPECTED.signature_methods | {SignatureMethod.RSA_SHA1},
    digest_algorithms=_EXPECTED.digest_algorithms | {DigestAlgorithm.SHA1},
)
_CERTIFICATE = f"{{{DSIG}}}KeyInfo/{{{DSIG}}}X509Data/{{{DSIG}}}X509Certificate"
_ENDS = ("-----BEGIN CERTIFICATE-----\n", "\n-----END CERTIFICATE-----\n")


@dataclass(frozen=True, slots=True)
class Signed:
    """`element` is what the signature covers."""

    element: etree._Element
    certificate: x509.Certificate


class NotSigned(ValueError):
    """Says why, in words that hold nothing of the message."""


def read_authorities(files: Iterable[Path | None]) -> list[x509.Certificate]:
    """The certificates of these PEM files; a file that is not there (yet) holds none."""
    return [one for file in files if file for one in _certificates(file)]


def _certificates(file: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(file.read_bytes())
    except (FileNotFoundError, PermissionError, NotADirectoryError):
        return []


def verify_signature(
    element: etree._Element,
    authorities: Sequence[x509.Certificate],
    now: datetime,
    *,
    sha1: bool = False,
) -> Signed:
    """`sha1` lets RSA with SHA-1 pass as well."""
    certificate = _certificate(element)
    _require_trusted(certificate, authorities, now)
    try:
        result = XMLVerifier().verify(
            element,
            x509_cert=certificate,
            id_attribute="ID",
            expect_config=_WITH_SHA1 if sha1 else _EXPECTED,
        )
    except (SignXMLException, ValueError, KeyError, etree.LxmlError) as error:
        raise NotSigned("the signature does not verify") from error
    found = result[0] if isinstance(result, list) else result
    covered = found.signed_xml
    if covered is None or (covered.tag, covered.get("ID")) != (element.tag, element.get("ID")):
        raise NotSigned("the signature covers something else than the assertion")
    return Signed(covered, certificate)


_DETACHED = replace(
    _WITH_SHA1,
    location=".",
    expect_references=True,
    default_reference_c14n_method=CanonicalizationMethod.CANONICAL_XML_1_0,
)


def verify_detached(
    signature: etree._Element, authorities: Sequence[x509.Certificate], now: datetime
) -> list[etree._Element]:
    """What a ds:Signature that stands alone covers inside itself, RSA with SHA-1 or SHA-256."""
    if signature.tag != f"{{{DSIG}}}Signature":
        raise NotSigned("it is no ds:Signature")
    certificate = _certificate(signature)
    _require_trusted(certificate, authorities, now)
    try:
        verifier = XMLVerifier()
        # lxml writes xmlns="" into the canonical form of what inherits its default namespace.
        verifier.excise_empty_xmlns_declarations = True
        found = verifier.verify(
            signature,
            x509_cert=certificate,
            id_attribute="Id",
            expect_config=_DETACHED,
            validate_schema=False,  # an Id that is a UUID may begin with a digit, which XML forbids
        )
    except (SignXMLException, ValueError, KeyError, TypeError, etree.LxmlError) as error:
        raise NotSigned("the signature does not verify") from error
    results = found if isinstance(found, list) else [found]
    return [one.signed_xml for one in results if one.signed_xml is not None]


def _certificate(element: etree._Element) -> x509.Certificate:
    """The first that is given: chains are followed by the authorities that we know."""
    signature = (
        element if element.tag == f"{{{DSIG}}}Signature" else element.find(f"{{{DSIG}}}Signature")
    )
    found = None if signature is None else signature.findtext(_CERTIFICATE)
    text = "".join((found or "").split())
    if not text:
        raise NotSigned("there is no ds:Signature with a ds:X509Certificate")
    lines = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
    try:
        return x509.load_pem_x509_certificate(lines.join(_ENDS).encode())
    except ValueError as error:
        raise NotSigned("ds:X509Certificate holds no certificate") from error


def _require_trusted(
    certificate: x509.Certificate, authorities: Sequence[x509.Certificate], now: datetime
) -> None:
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise NotSigned("the certificate is not valid today")
    if not any(_is_issued_by(certificate, authority) for authority in authorities):
        raise NotSigned("no authority that is known here has issued the certificate")


def _is_issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
