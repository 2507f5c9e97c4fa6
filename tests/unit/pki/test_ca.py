"""The sandbox CA: made once, issues what TLS peers accept."""

import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from socle.pki import Credentials, SandboxCa
from socle.pki.certificates import ROOT_NAME


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> dict[str, object]:
    """A TLS handshake in memory; the certificate that the client saw."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(to_client, to_server, server_hostname=host)
    two = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(10):
        done = 0
        for end in (one, two):
            try:
                end.do_handshake()
                done += 1
            except ssl.SSLWantReadError:
                pass
        if done == 2:
            break
    return dict(one.getpeercert() or {})


def contexts(ca: SandboxCa, issued: Credentials) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    issued.load_into(server)
    return server, ssl.create_default_context(cafile=str(ca.root))


class TestOpen:
    def test_makes_one_root_when_many_start_together(self, tmp_path: Path) -> None:
        with ThreadPoolExecutor(8) as pool:
            opened = list(pool.map(lambda _: SandboxCa.open(tmp_path / "ca"), range(8)))
        assert len({ca.certificate.serial_number for ca in opened}) == 1

    def test_says_that_it_is_no_real_authority(self, tmp_path: Path) -> None:
        ca = SandboxCa.open(tmp_path)
        (name,) = ca.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        assert name.value == ROOT_NAME
        assert "NOT FOR PRODUCTION" in ROOT_NAME

    def test_keeps_keys_to_their_owner(self, tmp_path: Path) -> None:
        ca = SandboxCa.open(tmp_path)
        issued = ca.server("mss")
        assert [path.stat().st_mode & 0o777 for path in (tmp_path / "root.key", issued.key)] == [
            0o600,
            0o600,
        ]


class TestServer:
    def test_is_accepted_by_a_client_that_trusts_the_root(self, tmp_path: Path) -> None:
        ca = SandboxCa.open(tmp_path)
        server, client = contexts(ca, ca.server("mss"))
        client.verify_flags |= ssl.VERIFY_X509_STRICT
        for host in ("localhost", "127.0.0.1", "mss"):
            assert handshake(server, client, host)

    def test_is_refused_when_the_host_is_another(self, tmp_path: Path) -> None:
        ca = SandboxCa.open(tmp_path)
        server, client = contexts(ca, ca.server("mss"))
        try:
            handshake(server, client, "elsewhere.example")
        except ssl.SSLCertVerificationError:
            return
        raise AssertionError("a certificate for another host was accepted")

    def test_is_issued_again_only_when_a_name_is_missing(self, tmp_path: Path) -> None:
        ca = SandboxCa.open(tmp_path)
        first = ca.server("mss").certificate.read_bytes()
        assert ca.server("mss").certificate.read_bytes() == first
        assert ca.server("mss", ["mail.example"]).certificate.read_bytes() != first

    def test_is_issued_again_when_the_root_is_another(self, tmp_path: Path) -> None:
        SandboxCa.open(tmp_path).server("mss")
        (tmp_path / "root.pem").unlink()
        ca = SandboxCa.open(tmp_path)
        server, client = contexts(ca, ca.server("mss"))
        assert handshake(server, client, "localhost")


class TestClient:
    def test_is_for_clients_only(self, tmp_path: Path) -> None:
        issued = SandboxCa.open(tmp_path).client("app/../x@socle.mssante.fr")
        assert issued.certificate.parent == tmp_path / "issued"
        certificate = x509.load_pem_x509_certificate(issued.certificate.read_bytes())
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
