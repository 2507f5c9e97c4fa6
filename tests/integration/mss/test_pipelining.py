"""Commands that come together (RFC 2920), before TLS and within."""

import socket
import ssl
from contextlib import suppress

import pytest

from tests.patience import PATIENCE_SECONDS

from .conftest import KIT_BOX, ROBERT_BOX, Mail
from .samples import message

pytestmark = pytest.mark.postgres


async def test_commands_sent_at_once_are_answered_in_their_order(mail: Mail) -> None:
    def work() -> tuple[str, list[bytes]]:
        with mail.smtp() as client:
            offered = client.ehlo()[1].decode()
            together = (
                f"MAIL FROM:<{KIT_BOX}>\r\nRCPT TO:<{ROBERT_BOX}>\r\nRCPT TO:<x@y.fr>\r\nDATA\r\n"
            )
            client.send(together)
            codes = [client.getreply() for _ in range(4)]
            client.send(message() + b".\r\nNOOP\r\nQUIT\r\n")
            codes += [client.getreply() for _ in range(3)]
            return offered, [str(code).encode() for code, _ in codes]

    offered, codes = await mail.run(work)
    assert "PIPELINING" in offered.split("\n")
    assert codes == [b"250", b"250", b"550", b"354", b"250", b"250", b"221"]


async def test_what_comes_in_clear_behind_starttls_is_not_taken_for_encrypted(mail: Mail) -> None:
    """RFC 3207 §6: somebody on the way may have put it there."""

    def work() -> bytes:
        with socket.create_connection(
            ("127.0.0.1", mail.app.state.smtp_port), PATIENCE_SECONDS
        ) as clear:
            clear.recv(1000)
            clear.sendall(b"EHLO a\r\nSTARTTLS\r\nEHLO injected\r\nNOOP\r\n")
            seen = b""
            while b"220 " not in seen:
                seen += clear.recv(4000)
            with mail.trust.wrap_socket(clear, server_hostname="localhost") as secured:
                secured.sendall(b"MAIL FROM:<a@b>\r\n")
                return secured.recv(1000)

    assert await mail.run(work) == b"503 Error: send HELO first\r\n"


async def test_starttls_is_refused_within_tls(mail: Mail) -> None:
    def work() -> int:
        with mail.smtp_tls() as client:
            return client.docmd("STARTTLS")[0]

    assert await mail.run(work) == 503


async def test_a_client_that_speaks_no_tls_after_starttls_harms_nobody(mail: Mail) -> None:
    def work() -> None:
        with socket.create_connection(
            ("127.0.0.1", mail.app.state.smtp_port), PATIENCE_SECONDS
        ) as clear:
            clear.recv(1000)
            clear.sendall(b"EHLO a\r\nSTARTTLS\r\n")
            while b"220 " not in clear.recv(4000):
                pass
            clear.sendall(b"this is no client hello\r\n")
            while clear.recv(1000):
                pass  # an alert, and the end
        mail.submit(message())

    await mail.run(work)


async def test_the_greeting_may_come_with_the_end_of_the_handshake(mail: Mail) -> None:
    """In the same packet, that is before this process has taken notice of the handshake."""

    def work() -> bytes:
        with socket.create_connection(
            ("127.0.0.1", mail.app.state.smtp_port), PATIENCE_SECONDS
        ) as clear:
            clear.recv(1000)
            clear.sendall(b"EHLO a\r\nSTARTTLS\r\n")
            while b"220 " not in clear.recv(4000):
                pass
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            end = mail.trust.wrap_bio(incoming, outgoing, server_hostname="localhost")
            while True:
                try:
                    end.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    clear.sendall(outgoing.read())
                    incoming.write(clear.recv(16_384))
            end.write(b"EHLO again\r\n")
            clear.sendall(outgoing.read())  # with the client's Finished
            seen = b""
            while b"250 HELP" not in seen:
                incoming.write(clear.recv(16_384))
                with suppress(ssl.SSLWantReadError):  # tickets come first
                    seen += end.read()
            return seen.splitlines()[0]

    assert await mail.run(work) == b"250-mss.socle.localhost"
