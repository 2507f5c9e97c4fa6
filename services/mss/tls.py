"""The TLS of the mail servers: MSSanté's versions and suites, the sandbox CA's certificate."""

import ssl
from tempfile import NamedTemporaryFile

from cryptography import x509

from services.mss.domain.trust import Certificate
from services.mss.settings import MssSettings
from services.mss.trust.repository import Stored
from socle.pki import IssuingCa

# ECO.1.1.3, verbatim in v0.1 of Référentiel #2 (spec: mss.md §1.3).
CIPHERS = (
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256"
    ":ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256"
)


# OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which Python does not name.
_NO_CHECK_TIME = 0x200000


def server_context(
    settings: MssSettings, authority: IssuingCa, presented: Stored | None = None
) -> ssl.SSLContext:
    """A client's certificate is asked for, not required: applications and operators have one.

    One from another authority fails the handshake. One that is outside its dates or revoked
    passes it, so that the refusal can name the rule in the protocol's own words. `presented` is an
    operator's, instead of the server's own.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not settings.mss_tls13:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    if presented is None:
        authority.root.server("mss", [settings.mss_hostname]).load_into(context)
    else:
        _load(context, authority, presented)
    if presented is None and settings.mss_ecdsa:
        # Beside it: OpenSSL takes whichever the client's suites and signatures allow.
        elliptic = authority.root.server("mss", [settings.mss_hostname], elliptic=True)
        elliptic.load_into(context)
    authority.trust_into(context)
    if settings.mss_client_ca is not None:
        context.load_verify_locations(settings.mss_client_ca)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.verify_flags = ssl.VerifyFlags(context.verify_flags | _NO_CHECK_TIME)
    return context


def client_context(
    authority: IssuingCa, presented: Stored, *, judges_receiver: bool = False
) -> ssl.SSLContext:
    """For the sending side between operators, with the certificate that the operator presents.

    Who judges the receiver by the whitelist wants its certificate whatever name and dates it has; the
    authority is verified always.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    authority.trust_into(context)
    _load(context, authority, presented)
    if judges_receiver:
        context.check_hostname = False
        context.verify_flags = ssl.VerifyFlags(context.verify_flags | _NO_CHECK_TIME)
    return context


def _load(context: ssl.SSLContext, authority: IssuingCa, presented: Stored) -> None:
    assert presented.key_pem is not None  # trust/service.py: issued here
    chain = presented.pem.encode() + authority.chain_pem
    # ssl reads files only; the name of this one ends with the block.
    with NamedTemporaryFile() as file:
        file.write(presented.key_pem.encode() + chain)
        file.flush()
        context.load_cert_chain(file.name)


def peer_certificate(tls: ssl.SSLObject | ssl.SSLSocket | None) -> bytes | None:
    """The DER of what the other side presented."""
    return None if tls is None else tls.getpeercert(binary_form=True)


def described_peer(der: bytes) -> Certificate | None:
    """A certificate that this sandbox did not issue; TLS has verified who did."""
    if not der:
        return None
    certificate = x509.load_der_x509_certificate(der)
    return Certificate(
        certificate.subject.rfc4514_string(),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )
