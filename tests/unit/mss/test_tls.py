"""Which certificate a client of the mail servers is shown, by what it speaks."""

import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from services.mss.settings import MssSettings
from services.mss.tls import server_context
from socle.pki import IssuingCa, SandboxCa


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> IssuingCa:
    return IssuingCa.open(SandboxCa.open(tmp_path_factory.mktemp("ca")))


def connect(
    server: ssl.SSLContext, client: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> ssl.SSLObject:
    """The client's end after a handshake in memory and one octet, behind which tickets come."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(to_client, to_server, server_hostname="localhost", session=session)
    two = server.wrap_bio(to_server, to_client, server_side=True)
    for step in (one.do_handshake, two.do_handshake, one.do_handshake, two.do_handshake):
        try:
            step()
        except ssl.SSLWantReadError:
            continue
    two.write(b"x")
    assert one.read() == b"x"
    return one


def client_of(authority: IssuingCa, version: ssl.TLSVersion) -> ssl.SSLContext:
    client = ssl.create_default_context(cafile=str(authority.root.root))
    client.minimum_version = client.maximum_version = version
    return client


@pytest.mark.parametrize(
    ("elliptic", "version", "shown"),
    [
        (False, ssl.TLSVersion.TLSv1_2, rsa.RSAPublicKey),
        (False, ssl.TLSVersion.TLSv1_3, rsa.RSAPublicKey),
        (True, ssl.TLSVersion.TLSv1_2, rsa.RSAPublicKey),
        (True, ssl.TLSVersion.TLSv1_3, ec.EllipticCurvePublicKey),
    ],
)
def test_shows_an_elliptic_key_where_it_is_wanted_and_the_version_has_it(
    authority: IssuingCa, elliptic: bool, version: ssl.TLSVersion, shown: type
) -> None:
    server = server_context(MssSettings(mss_ecdsa=elliptic), authority)
    der = connect(server, client_of(authority, version)).getpeercert(binary_form=True)
    assert der is not None
    certificate = x509.load_der_x509_certificate(der)
    assert isinstance(certificate.public_key(), shown)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.key_encipherment == (shown is rsa.RSAPublicKey)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_that_comes_again_resumes_its_session(
    authority: IssuingCa, version: ssl.TLSVersion
) -> None:
    server, client = server_context(MssSettings(), authority), client_of(authority, version)
    first = connect(server, client)
    assert not first.session_reused
    assert connect(server, client, first.session).session_reused
