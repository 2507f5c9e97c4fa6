"""X.509 certificates of the sandbox, strict enough for OpenSSL's and Python 3.13's checks.

Keys are RSA: the cipher suites of MSSanté are all ECDHE_RSA (spec: mss.md §1.3, ECO.1.1.3).
"""

import ipaddress
from collections.abc import Sequence
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from socle.clock import wall

ROOT_NAME = "Socle sandbox CA — NOT FOR PRODUCTION"
ORGANISATION = "Socle sandbox"
ROOT_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=397)  # the longest that Apple's and Chrome's clients accept
SKEW = timedelta(days=1)  # a client whose clock is a little late must not refuse


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_pem(key: rsa.RSAPrivateKey) -> bytes:
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


def server_certificate(
    public_key: rsa.RSAPublicKey,
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
    public_key: rsa.RSAPublicKey,
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
    public_key: rsa.RSAPublicKey,
    issuer: x509.Certificate,
    issuer_key: rsa.RSAPrivateKey,
    purpose: ObjectIdentifier,
) -> x509.CertificateBuilder:
    return (
        _builder(subject, issuer.subject, public_key, LEAF_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: rsa.RSAPublicKey, life: timedelta
) -> x509.CertificateBuilder:
    now = wall()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + life)
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


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not signs_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
