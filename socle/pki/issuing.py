"""The authority under the root that serves organisations, as ACI-EL-ORG of the IGC Santé does.

It issues what operators of the trust space and applications' mailboxes present, valid, expired or
not yet valid, and signs the list of those that are revoked. Files: `aci-el-org.pem` and `.key`,
beside the root.
"""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from socle.clock import wall
from socle.pki import certificates as x
from socle.pki.ca import RENEW_BEFORE, SandboxCa, read_key
from socle.pki.files import locked, write_atomically

STEM = "aci-el-org"
SEALING_UNIT = "0000000000"
CRL_LIFE = timedelta(days=7)
PURPOSES = {
    # An operator's server both receives and sends: its certificate does for both ends of TLS.
    "operator": (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH),
    "auth_cli": (ExtendedKeyUsageOID.CLIENT_AUTH,),
    "seal": (),
}
Purpose = Literal["operator", "auth_cli", "seal"]
Validity = Literal["valid", "expired", "not_yet_valid"]


@dataclass(frozen=True, slots=True)
class Issued:
    certificate: x509.Certificate
    key: rsa.RSAPrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class Revoked:
    serial: int
    at: datetime


@dataclass(frozen=True)
class IssuingCa:
    root: SandboxCa
    certificate: x509.Certificate
    key: rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def open(cls, root: SandboxCa) -> "IssuingCa":
        """The authority of this installation, made by whoever comes first."""
        pem, key = root.directory / f"{STEM}.pem", root.directory / f"{STEM}.key"
        with locked(root.directory / ".lock"):
            if not pem.exists():
                made = x.new_key()
                certificate = x.issuing_certificate(made, root.certificate, root.key)
                write_atomically(key, x.key_pem(made), 0o600)
                write_atomically(pem, x.certificate_pem(certificate), 0o644)
            certificate = x509.load_pem_x509_certificate(pem.read_bytes())
            return cls(root, certificate, read_key(key))

    @property
    def chain_pem(self) -> bytes:
        """What a certificate's owner sends after it, and what a client may trust: both authorities."""
        return x.certificate_pem(self.certificate) + x.certificate_pem(self.root.certificate)

    def trust_into(self, context: ssl.SSLContext) -> None:
        context.load_verify_locations(cadata=self.chain_pem.decode())

    def issue(
        self,
        subject: x509.Name,
        purpose: Purpose,
        *,
        hosts: Sequence[str] = (),
        validity: Validity = "valid",
        crl_url: str = "",
    ) -> Issued:
        """Draws a key, which takes a tenth of a second of computing."""
        key = x.new_key()
        certificate = x.organisation_certificate(
            key.public_key(),
            subject,
            self.certificate,
            self.key,
            purposes=PURPOSES[purpose],
            hosts=hosts,
            valid=_period(validity),
            crl_url=crl_url,
        )
        return Issued(certificate, key)

    def has_issued(self, certificate: x509.Certificate) -> bool:
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True

    def seal(self, name: str) -> Issued:
        """The certificate that signs documents as `name`, kept until it is near its end."""
        stem = self.root.directory / "issued" / f"seal-{name}"
        pem, key = stem.with_suffix(".pem"), stem.with_suffix(".key")
        with locked(self.root.directory / ".lock"):
            if pem.exists() and key.exists():
                kept = x509.load_pem_x509_certificate(pem.read_bytes())
                if kept.not_valid_after_utc - RENEW_BEFORE > wall() and self.has_issued(kept):
                    return Issued(kept, read_key(key))
            subject = organisation_name(
                name, structure=SEALING_UNIT, organisation=x.ORGANISATION, department="Paris (75)"
            )
            made = self.issue(subject, "seal")
            pem.unlink(missing_ok=True)
            write_atomically(key, x.key_pem(made.key), 0o600)
            write_atomically(pem, x.certificate_pem(made.certificate), 0o644)
            return made

    def revocation_list(self, revoked: Sequence[Revoked], number: int) -> bytes:
        """A complete CRL (RFC 5280 §5), DER."""
        now = wall()
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(now)
            .next_update(now + CRL_LIFE)
            .add_extension(x509.CRLNumber(number), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )
        for one in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(one.serial)
                .revocation_date(one.at)
                .build()
            )
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def organisation_name(
    common_name: str, *, structure: str, organisation: str, department: str
) -> x509.Name:
    """In the order of the IGC Santé's: read backwards, as the whitelist writes it, it is
    CN=…,OU=3<SIRET>,O=…,ST=Haute-Garonne (31),C=FR (spec: mss.md §1.5)."""
    parts = [
        (NameOID.COUNTRY_NAME, "FR"),
        (NameOID.STATE_OR_PROVINCE_NAME, department),
        (NameOID.ORGANIZATION_NAME, organisation),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, structure),
        (NameOID.COMMON_NAME, common_name),
    ]
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def as_pkcs12(issued: Issued, chain: Sequence[x509.Certificate], name: str, password: str) -> bytes:
    return pkcs12.serialize_key_and_certificates(
        name.encode(),
        issued.key,
        issued.certificate,
        chain,
        serialization.BestAvailableEncryption(password.encode()),
    )


def _period(validity: Validity) -> tuple[datetime, datetime]:
    now = wall()
    if validity == "expired":
        return now - x.LEAF_LIFE, now - x.SKEW
    if validity == "not_yet_valid":
        return now + x.SKEW, now + x.LEAF_LIFE
    return now - x.SKEW, now + x.LEAF_LIFE
