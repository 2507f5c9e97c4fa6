"""What the rules are told of an SMTP session: how it was encrypted, how the client logged in."""

from ssl import SSLObject

from aiosmtpd.smtp import SMTP

from services.mss.domain.lint.mail import Passage


def passage_of(server: SMTP, mechanism: str) -> Passage:
    tls = server.transport.get_extra_info("ssl_object") if server.transport else None
    cipher = tls.cipher() if isinstance(tls, SSLObject) else None
    return Passage(
        protocol="smtp",
        tls=(tls.version() or "") if isinstance(tls, SSLObject) else "",
        cipher=cipher[0] if cipher else "",
        mechanism=mechanism,
    )
