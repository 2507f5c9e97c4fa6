"""The signature of a lot: XAdES over a manifest that names its set and its documents (IHE DSG,
detached; spec: dmp.md §1.4). Digests and signature are SHA-256; older kits have SHA-1."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

from socle.pki.issuing import Issued
from socle.saml.signature import DSIG

_XADES: Final = "http://uri.etsi.org/01903/v1.3.2#"
_EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
_WITH_COMMENTS: Final = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"
_SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
_RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_MANIFEST: Final = "IHEManifest"
_PROPERTIES: Final = "SignedProperties"


def sign_lot(
    set_id: str, documents: Sequence[tuple[str, bytes]], seal: Issued, at: datetime
) -> bytes:
    """`documents` are uniqueIds and bytes; `set_id` is the uniqueId of the set, whose digest says
    nothing (`AA==`)."""
    root = etree.Element(_ds("Signature"), nsmap={"ds": DSIG}, Id="Signature01")
    info = _child(root, "SignedInfo")
    _child(info, "CanonicalizationMethod", Algorithm=_EXCLUSIVE)
    _child(info, "SignatureMethod", Algorithm=_RSA_SHA256)
    value = _child(root, "SignatureValue")
    x509_data = _child(_child(root, "KeyInfo"), "X509Data")
    der = seal.certificate.public_bytes(serialization.Encoding.DER)
    _child(x509_data, "X509Certificate").text = base64.b64encode(der).decode()
    manifest = _child(_child(root, "Object"), "Manifest", Id=_MANIFEST)
    _reference(manifest, f"urn:oid:{set_id}", "AA==")
    for unique_id, content in documents:
        digest = _digest(_canonical_document(content))
        _reference(manifest, f"urn:oid:{unique_id}", digest, _WITH_COMMENTS)
    properties = _signed_properties(_child(root, "Object"), der, seal, at)
    for kind, target, name in (
        (f"{DSIG}Manifest", manifest, _MANIFEST),
        ("http://uri.etsi.org/01903#SignedProperties", properties, _PROPERTIES),
    ):
        _reference(info, f"#{name}", _digest(_exclusive(target)), _EXCLUSIVE).set("Type", kind)
    signed = seal.key.sign(_exclusive(info), padding.PKCS1v15(), hashes.SHA256())
    value.text = base64.b64encode(signed).decode()
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _signed_properties(
    parent: etree._Element, der: bytes, seal: Issued, at: datetime
) -> etree._Element:
    """When, and with which certificate (XAdES §7.2)."""
    qualifying = etree.SubElement(
        parent, _xades("QualifyingProperties"), nsmap={"xades": _XADES}, Target="#Signature01"
    )
    properties = etree.SubElement(qualifying, _xades("SignedProperties"), Id=_PROPERTIES)
    signature = etree.SubElement(properties, _xades("SignedSignatureProperties"))
    time = etree.SubElement(signature, _xades("SigningTime"))
    time.text = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    certificates = etree.SubElement(signature, _xades("SigningCertificate"))
    certificate = etree.SubElement(certificates, _xades("Cert"))
    digest = etree.SubElement(certificate, _xades("CertDigest"))
    _child(digest, "DigestMethod", Algorithm=_SHA256)
    _child(digest, "DigestValue").text = _digest(der)
    serial = etree.SubElement(certificate, _xades("IssuerSerial"))
    _child(serial, "X509IssuerName").text = seal.certificate.issuer.rfc4514_string()
    _child(serial, "X509SerialNumber").text = str(seal.certificate.serial_number)
    return properties


def _reference(
    parent: etree._Element, uri: str, digest: str, transform: str = ""
) -> etree._Element:
    reference = _child(parent, "Reference", URI=uri)
    if transform:
        _child(_child(reference, "Transforms"), "Transform", Algorithm=transform)
    _child(reference, "DigestMethod", Algorithm=_SHA256)
    _child(reference, "DigestValue").text = digest
    return reference


def _canonical_document(content: bytes) -> bytes:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True
    )
    tree = etree.fromstring(content, parser).getroottree()
    written: bytes = etree.tostring(tree, method="c14n", with_comments=True)
    return written


def _exclusive(element: etree._Element) -> bytes:
    written: bytes = etree.tostring(element, method="c14n", exclusive=True, with_comments=False)
    return written


def _digest(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def _child(parent: etree._Element, name: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, _ds(name), attributes)


def _ds(name: str) -> str:
    return f"{{{DSIG}}}{name}"


def _xades(name: str) -> str:
    return f"{{{_XADES}}}{name}"
