"""X.509 certificates of the sandbox, strict enough for OpenSSL's and Python 3.13's checks.

Keys are RSA: the cipher suites of MSSanté are all ECDHE_RSA (spec: mss.md §1.3, ECO.1.1.3). A server may
have a second certificate with an elliptic key for TLS 1.3, whose suites leave the kind of key open.
"""

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from socle.clock import wall

ROOT_NAME = "Socle sandbox CA — NOT FOR PRODUCTION"
ISSUING_NAME = "Socle sandbox ACI-EL-ORG — NOT FOR PRODUCTION"
"""After the authority of the IGC Santé that serves organisations (spec: mss.md §1.3)."""

ORGANISATION = "Socle sandbox"
ROOT_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=397)  # the longest that Apple's and Chrome's clients accept
SKEW = timedelta(days=1)  # a client whose clock is a little late must not refuse


PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


def new_elliptic_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def certificate_pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def root_certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = _name(ROOT_NAME)
    return (
        _builder(name, name, key.public_key(), ROOT_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def issuing_certificate(
    key: rsa.RSAPrivateKey, issuer: x509.Certificate, issuer_key: rsa.RSAPrivateKey
) -> x509.Certificate:
    return (
        _builder(_name(ISSUING_NAME), issuer.subject, key.public_key(), ROOT_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
        .sign(issuer_key, hashes.SHA256())
    )


def organisation_certificate(
    public_key: rsa.RSAPublicKey,
    subject: x509.Name,
    issuer: x509.Certificate,
    issuer_key: rsa.RSAPrivateKey,
    *,
    purposes: Sequence[ObjectIdentifier],
    hosts: Sequence[str],
    valid: tuple[datetime, datetime],
    crl_url: str,
) -> x509.Certificate:
    """An organisation's; without `purposes` it is a seal, which signs documents only."""
    builder = _leaf(subject, public_key, issuer, issuer_key, *purposes, valid=valid)
    if hosts:
        names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    if crl_url:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl_url)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def server_certificate(
    public_key: PublicKey,
    hosts: Sequence[str],
    issuer: x509.Certificate,
    issuer_key: rsa.RSAPrivateKey,
) -> x509.Certificate:
    names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
    return (
        _leaf(_name(hosts[0]), public_key, issuer, issuer_key, ExtendedKeyUsageOID.SERVER_AUTH)
        .add_extension(names, critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def client_certificate(
    public_key: PublicKey,
    common_name: str,
    issuer: x509.Certificate,
    issuer_key: rsa.RSAPrivateKey,
    unit: str | None = None,
) -> x509.Certificate:
    return _leaf(
        _name(common_name, unit), public_key, issuer, issuer_key, ExtendedKeyUsageOID.CLIENT_AUTH
    ).sign(issuer_key, hashes.SHA256())


def _leaf(
    subject: x509.Name,
    public_key: PublicKey,
    issuer: x509.Certificate,
    issuer_key: rsa.RSAPrivateKey,
    *purposes: ObjectIdentifier,
    valid: tuple[datetime, datetime] | None = None,
) -> x509.CertificateBuilder:
    builder = (
        _builder(subject, issuer.subject, public_key, LEAF_LIFE, valid)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(enciphers=_enciphers(public_key)), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if not purposes:
        return builder
    return builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: PublicKey,
    life: timedelta,
    valid: tuple[datetime, datetime] | None = None,
) -> x509.CertificateBuilder:
    now = wall()
    begin, end = valid or (now - SKEW, now + life)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _name(common_name: str, unit: str | None = None) -> x509.Name:
    parts = [
        (NameOID.COUNTRY_NAME, "FR"),
        (NameOID.ORGANIZATION_NAME, ORGANISATION),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
        (NameOID.COMMON_NAME, common_name),
    ]
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts if value])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _enciphers(public_key: PublicKey) -> bool:
    """An elliptic key must not be said to (RFC 8813 §3)."""
    return isinstance(public_key, rsa.RSAPublicKey)


def _key_usage(*, signs_certificates: bool = False, enciphers: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=enciphers,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
