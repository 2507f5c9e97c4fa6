"""A root certificate made once per installation, and what it issues.

Folder: `root.pem` (give it to clients), `root.key`, and in `issued/` one `.pem` and one `.key`
per name. Everything is made under a file lock, so processes that start together share one root.
"""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from socle.clock import wall
from socle.pki import certificates as x
from socle.pki.files import locked, write_atomically

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
RENEW_BEFORE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Credentials:
    """PEM files: the certificate, and its private key (mode 0600)."""

    certificate: Path
    key: Path

    def load_into(self, context: ssl.SSLContext) -> None:
        context.load_cert_chain(self.certificate, self.key)


@dataclass(frozen=True)
class SandboxCa:
    directory: Path
    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @classmethod
    def open(cls, directory: Path) -> "SandboxCa":
        """The authority of this folder, made by whoever comes first."""
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        (directory / "issued").mkdir(exist_ok=True, mode=0o700)
        with locked(directory / ".lock"):
            if not (directory / "root.pem").exists():
                _make_root(directory)
            certificate = x509.load_pem_x509_certificate((directory / "root.pem").read_bytes())
            key = read_key(directory / "root.key")
        return cls(directory, certificate, key)

    @property
    def root(self) -> Path:
        """The certificate that clients must trust."""
        return self.directory / "root.pem"

    def server(
        self, name: str, hosts: Sequence[str] = (), *, elliptic: bool = False
    ) -> Credentials:
        """A server certificate for the local names, `name` and `hosts`; kept until it is near its end.
        Its key is RSA, or `elliptic`: P-256."""
        wanted = tuple(dict.fromkeys((name, *LOCAL_HOSTS, *hosts)))
        stem = f"server-{_file_name(name)}{'-p256' if elliptic else ''}"
        return self._issued(stem, wanted, server=True, elliptic=elliptic)

    def client(self, name: str, unit: str | None = None) -> Credentials:
        """A client certificate, as an application's mailbox (BAL APP) presents. `unit` is the OU,
        where those of the IGC Santé name the structure (spec: psc.md §3)."""
        stem = _file_name(name if unit is None else f"{name}-{unit}")
        return self._issued(f"client-{stem}", (name,), server=False, unit=unit)

    def _issued(
        self,
        stem: str,
        names: tuple[str, ...],
        *,
        server: bool,
        unit: str | None = None,
        elliptic: bool = False,
    ) -> Credentials:
        issued = self.directory / "issued"
        found = Credentials(issued / f"{stem}.pem", issued / f"{stem}.key")
        with locked(self.directory / ".lock"):
            if not self._still_good(found, names, server=server):
                key = x.new_elliptic_key() if elliptic else x.new_key()
                certificate = (
                    x.server_certificate(key.public_key(), names, self.certificate, self.key)
                    if server
                    else x.client_certificate(
                        key.public_key(), names[0], self.certificate, self.key, unit
                    )
                )
                # The certificate comes last: it is what says that the pair is there.
                found.certificate.unlink(missing_ok=True)
                write_atomically(found.key, x.key_pem(key), 0o600)
                write_atomically(found.certificate, x.certificate_pem(certificate), 0o644)
        return found

    def _still_good(self, found: Credentials, names: tuple[str, ...], *, server: bool) -> bool:
        if not (found.certificate.exists() and found.key.exists()):
            return False
        certificate = x509.load_pem_x509_certificate(found.certificate.read_bytes())
        if certificate.not_valid_after_utc - RENEW_BEFORE < wall():
            return False
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return not server or set(names) <= _hosts_of(certificate)


def _make_root(directory: Path) -> None:
    key = x.new_key()
    write_atomically(directory / "root.key", x.key_pem(key), 0o600)
    write_atomically(directory / "root.pem", x.certificate_pem(x.root_certificate(key)), 0o644)


def read_key(path: Path) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def _hosts_of(certificate: x509.Certificate) -> set[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {
        *names.get_values_for_type(x509.DNSName),
        *(str(address) for address in names.get_values_for_type(x509.IPAddress)),
    }


def _file_name(name: str) -> str:
    """A name as part of a file name: it must not lead out of the folder."""
    return "".join(letter if letter.isalnum() or letter in "-." else "_" for letter in name)
