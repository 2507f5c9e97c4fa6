"""MLLP over TLS, in both directions."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import hl7
import pytest
from hl7.client import MLLPClient
from hl7.mllp import start_hl7_server

from services.mss.hl7v2 import worker
from services.mss.hl7v2.mllp import END, START
from socle.pki import IssuingCa, SandboxCa
from socle.testing.hl7_orders import COLLEAGUE, PS, order
from socle.testing.stack import free_ports
from socle.testing.tokens import TokenMint
from tests.patience import PATIENCE_SECONDS

from .conftest import Mail, mail_service
from .test_hl7 import acknowledgements, inbox, registered, said

pytestmark = pytest.mark.postgres
FLAGS = {**PS, "ACK_RECEPTION": "Y"}


class TlsClient(MLLPClient):  # type: ignore[misc]
    """The client of the package `hl7`, with its socket wrapped."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        super().__init__("127.0.0.1", port)
        self.socket: Any = context.wrap_socket(self.socket, server_hostname="localhost")


def client_context(home: Path, name: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(home / "ca" / "root.pem"))
    if name:
        SandboxCa.open(home / "ca").client(name).load_into(context)
    return context


async def exchange(mail: Mail, context: ssl.SSLContext, message: str) -> hl7.Message:
    def work() -> bytes:
        with TlsClient(mail.app.state.mllp_tls_port, context) as client:
            return bytes(client.send_message(message.encode()))

    return hl7.parse((await mail.run(work)).strip(START + END).decode())


def service(values: dict[str, Any], mint: TokenMint, space: str, home: Path, **changes: Any) -> Any:
    [port] = free_ports(1)
    return mail_service(values, mint, space, home, mss_mllp_tls_port=port, **changes)


@pytest.mark.parametrize("name", [None, "sil.test"])
async def test_a_message_is_taken_with_or_without_a_certificate(
    settings_values: dict[str, Any], mint: TokenMint, space: str, home: Path, name: str | None
) -> None:
    async with service(settings_values, mint, space, home) as mail:
        application = await registered(mail)
        message = order(application=application, recipients=[COLLEAGUE], flags=FLAGS)
        assert said(await exchange(mail, client_context(home, name), message)) == "AA"
        assert len(await inbox(mail)) == 1


async def test_a_certificate_that_is_required_must_be_one_that_is_trusted(
    settings_values: dict[str, Any], mint: TokenMint, space: str, home: Path, tmp_path: Path
) -> None:
    stranger = client_context(home, None)
    SandboxCa.open(tmp_path / "ca").client("sil.test").load_into(stranger)
    required = {"mss_mllp_client_certificate": "required"}
    async with service(settings_values, mint, space, home, **required) as mail:
        application = await registered(mail)
        message = order(application=application, recipients=[COLLEAGUE], flags=FLAGS)
        for context in (client_context(home, None), stranger):
            with pytest.raises((ssl.SSLError, ConnectionError, hl7.exceptions.HL7Exception)):
                assert said(await exchange(mail, context, message)) != "AA"
        assert await inbox(mail) == []
        assert said(await exchange(mail, client_context(home, "sil.test"), message)) == "AA"


async def test_one_who_speaks_no_tls_is_let_go(
    settings_values: dict[str, Any], mint: TokenMint, space: str, home: Path
) -> None:
    async with service(settings_values, mint, space, home) as mail:
        reader, writer = await asyncio.open_connection("127.0.0.1", mail.app.state.mllp_tls_port)
        writer.write(START + b"MSH|" + END)
        assert b"MSA" not in await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
        writer.close()


@pytest.mark.parametrize(("issuer", "answer"), [("sandbox", "AA"), ("stranger", None)])
async def test_an_acknowledgement_goes_over_tls_to_whom_the_authority_names(
    mail: Mail, home: Path, tmp_path: Path, issuer: str, answer: str | None
) -> None:
    came: list[str] = []

    async def serve(reader: Any, writer: Any) -> None:
        message = await reader.readmessage()
        presented = writer.get_extra_info("ssl_object").getpeercert()
        came.append(str(presented["subject"]))
        writer.writemessage(message.create_ack())
        await writer.drain()
        writer.close()

    root = SandboxCa.open((home if issuer == "sandbox" else tmp_path) / "ca")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    root.server("creator").load_into(tls)
    IssuingCa.open(SandboxCa.open(home / "ca")).trust_into(tls)
    tls.verify_mode = ssl.CERT_REQUIRED
    server = await start_hl7_server(serve, host="127.0.0.1", port=0, encoding="utf-8", ssl=tls)
    async with server:
        port = server.sockets[0].getsockname()[1]
        application = await registered(mail, f"mllps://localhost:{port}")

        def work() -> None:
            with MLLPClient("127.0.0.1", mail.app.state.mllp_port) as client:
                client.send_message(
                    order(application=application, recipients=[COLLEAGUE], flags=FLAGS).encode()
                )

        await mail.run(work)
        while await worker.deliver_next(mail.app.state.kernel):
            pass
    assert [it["answer"] for it in await acknowledgements(mail)] == [answer]
    assert ("pfi.socle.mssante.fr" in "".join(came)) is (answer == "AA")


@pytest.mark.parametrize("endpoint", ["http://a:1", "mllps://a", "a:70000", "mllps://a:b", "a b:1"])
async def test_what_is_no_endpoint_is_refused(mail: Mail, endpoint: str) -> None:
    put = await mail.http.put(
        f"/s/{mail.space}/_sandbox/mss/hl7/senders",
        json={"application": "A", "mailbox": "pfi.test@socle.mssante.fr", "endpoint": endpoint},
    )
    assert put.status_code in (400, 422)
