"""HL7v2 over MLLP, by a client that is not ours (the package `hl7`)."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.parser import BytesParser
from email.policy import default
from typing import Any

import hl7
import pytest
from hl7.client import MLLPClient
from sqlalchemy import text

from services.mss.hl7v2 import worker
from services.mss.hl7v2.mllp import END, START
from socle.db.database import Database
from socle.testing.hl7_orders import CDA, COLLEAGUE, PS, REPLACING, order
from socle.xdm import take_apart
from tests.patience import PATIENCE_SECONDS

from .conftest import KIT, ROBERT, ROBERT_BOX, Mail

pytestmark = pytest.mark.postgres
BOX = "pfi.test@socle.mssante.fr"


async def registered(mail: Mail, endpoint: str = "") -> str:
    """The application whose messages work in the test's space."""
    application = f"SIL-{mail.space}"
    base = f"/s/{mail.space}/_sandbox/mss"
    made = await mail.http.post(
        f"{base}/mailboxes", json={"address": BOX, "kind": "APP", "label": "PFI", "owners": [KIT]}
    )
    assert made.status_code == 201, made.text
    put = await mail.http.put(
        f"{base}/hl7/senders",
        json={"application": application, "facility": "labo", "mailbox": BOX, "endpoint": endpoint},
    )
    assert put.status_code == 200, put.text
    return application


async def exchange(mail: Mail, message: str) -> hl7.Message:
    def work() -> bytes:
        with MLLPClient("127.0.0.1", mail.app.state.mllp_port) as client:
            return bytes(client.send_message(message.encode()))

    answer = await mail.run(work)
    return hl7.parse(answer.strip(START + END).decode())


async def inbox(mail: Mail, box: str = ROBERT_BOX, who: str = ROBERT) -> list[dict[str, Any]]:
    answer = await mail.http.get(
        f"/mss/mailboxes/{box}/messages", headers=mail.mint.headers(mail.space, who)
    )
    found: list[dict[str, Any]] = answer.json()["messages"]
    return found


async def acknowledgements(mail: Mail) -> list[dict[str, Any]]:
    listed = await mail.http.get(f"/s/{mail.space}/_sandbox/mss/hl7/acknowledgements")
    found: list[dict[str, Any]] = listed.json()["acknowledgements"]
    return found


def said(answer: hl7.Message) -> str:
    return str(answer.segment("MSA")[1])


TO_PS: dict[str, Any] = {
    "recipients": [COLLEAGUE],
    "flags": {**PS, "ACK_RECEPTION": "Y", "ACK_LECTURE_MSS": "Y"},
}


@pytest.mark.parametrize(
    ("kind", "status", "content"),
    [("ORU", "F", CDA), ("MDM", "F", CDA), ("MDM", "C", REPLACING), ("MDM", "D", CDA)],
)
async def test_a_document_becomes_a_conformant_mail(
    mail: Mail, kind: str, status: str, content: bytes
) -> None:
    application = await registered(mail)
    answer = await exchange(
        mail, order(kind=kind, status=status, documents=[content], application=application, **TO_PS)
    )
    assert said(answer) == "AA", str(answer)
    (received,) = await inbox(mail)
    headers = mail.mint.headers(mail.space, ROBERT)
    report = (await mail.http.get(f"/mss/messages/{received['id']}/report", headers=headers)).json()
    assert report["outcome"] in ("passed", "warning"), report
    assert report["passage"] == {**report["passage"], "protocol": "mllp", "sender_kind": "APP"}
    raw = (await mail.http.get(f"/mss/messages/{received['id']}", headers=headers)).content
    message: Any = BytesParser(policy=default).parsebytes(raw)
    package = take_apart(next(message.iter_attachments()).get_content())
    (document,) = package.documents
    assert document.action == status.replace("F", "")
    assert [it.code for it in document.entry.confidentiality] == ["N", "INVISIBLE_PATIENT"]
    assert message["Disposition-Notification-To"] == BOX


async def test_the_same_message_is_carried_out_once(mail: Mail, database: Database) -> None:
    application = await registered(mail)
    message = order(application=application, **TO_PS)
    answers = await asyncio.gather(*(exchange(mail, message) for _ in range(4)))
    assert [said(it) for it in answers] == ["AA"] * 4
    assert said(await exchange(mail, message)) == "AA"
    assert len(await acknowledgements(mail)) == 1
    async with database.read() as session:
        found = await session.execute(
            text("SELECT count(*) FROM mss.hl7_message WHERE space = :space"), {"space": mail.space}
        )
        assert found.scalar_one() == 1
    other = await exchange(mail, order(application=application, more=["NTE|1|||x"], **TO_PS))
    assert said(other) == "AE"


async def test_the_mails_are_sent_once_when_the_process_died_before_the_acknowledgement(
    mail: Mail, database: Database
) -> None:
    """The mails are there, the message is not: as a crash between the two leaves it."""
    application = await registered(mail)
    message = order(application=application, **TO_PS)
    await exchange(mail, message)
    async with database.write() as session:
        await session.execute(
            text("DELETE FROM mss.hl7_message WHERE space = :space"), {"space": mail.space}
        )
    assert said(await exchange(mail, message)) == "AA"
    assert len(await inbox(mail)) == 1
    assert len(await acknowledgements(mail)) == 1


async def test_a_combination_that_mssante_does_not_know_is_refused_by_its_name(mail: Mail) -> None:
    application = await registered(mail)
    answer = await exchange(
        mail, order(application=application, recipients=[COLLEAGUE], flags={**PS, "MASQUE_PS": "Y"})
    )
    assert said(answer) == "AE"
    error = answer.segment("ERR")
    assert str(error[3]).startswith("207^")
    assert "MASQUE_PS=Y" in str(error[8])
    assert await inbox(mail) == []


async def test_a_recipient_who_is_unknown_is_told_by_zam(mail: Mail) -> None:
    application = await registered(mail)
    nobody = "nobody@socle.mssante.fr"
    flags = {**PS, "ACK_RECEPTION": "Y"}
    answer = await exchange(
        mail, order(application=application, recipients=[COLLEAGUE, nobody], flags=flags)
    )
    assert said(answer) == "AA"
    told = [hl7.parse(it["content"]) for it in await acknowledgements(mail)]
    assert [str(it.segment("MSH")[9]) for it in told] == ["ZAM^Z02^ZAM_Z01"] * 2
    by_address = {str(it.segments("OBX")[1][5]): it for it in told}
    assert str(by_address[f"^^X.400^{COLLEAGUE}"].segments("OBX")[0][5]).startswith("Y^")
    assert str(by_address[f"^^X.400^{nobody}"].segment("ERR")[5]).startswith("550^")


async def test_an_integration_that_fails_comes_back_as_z03(mail: Mail) -> None:
    async with creator() as (endpoint, came):
        application = await registered(mail, endpoint)
        await exchange(mail, order(application=application, **TO_PS))
        (received,) = await inbox(mail)
        answered = await mail.http.post(
            f"/mss/mailboxes/{ROBERT_BOX}/messages/{received['id']}/integration",
            json={"code": 904},
            headers=mail.mint.headers(mail.space, ROBERT),
        )
        assert answered.status_code == 201, answered.text
        kernel = mail.app.state.kernel
        while await worker.note_next(kernel) or await worker.deliver_next(kernel):
            pass
    events = [str(hl7.parse(it.decode()).segment("MSH")[9]) for it in came]
    assert events == ["ZAM^Z02^ZAM_Z01", "ZAM^Z03^ZAM_Z01"]
    assert b"904^" in came[1]
    assert [it["answer"] for it in await acknowledgements(mail)] == ["AA", "AA"]


@pytest.mark.usefixtures("nothing_pending")
async def test_an_acknowledgement_that_nobody_takes_waits(mail: Mail) -> None:
    with socket.socket() as closed:  # bound without listening: connections are refused
        closed.bind(("127.0.0.1", 0))
        application = await registered(mail, f"127.0.0.1:{closed.getsockname()[1]}")
        await exchange(mail, order(application=application, **TO_PS))
        assert await worker.deliver_next(mail.app.state.kernel)
    (waiting,) = await acknowledgements(mail)
    assert (waiting["attempts"], waiting["waits"], waiting["answer"]) == (1, True, None)


@pytest.mark.parametrize(
    "raw",
    [b"", b"hello", b"MSH", b"\xff\xfe\x00", b"MSH|^~\\&|a|b|c|d|e||ORU^R01^ORU_R01|1|P|2.5\rPID|\\X", b"MSH|^~\\&" + b"|" * 50_000],
)  # fmt: skip
async def test_whatever_comes_is_answered(mail: Mail, raw: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", mail.app.state.mllp_port)
    writer.write(START + raw + END)
    answer = await asyncio.wait_for(reader.readuntil(END), PATIENCE_SECONDS)
    writer.close()
    assert b"\rMSA|AE" in answer


@pytest.mark.parametrize("raw", [b"GET / HTTP/1.1\r\n" + b"x" * 5000, END * 3])
async def test_what_is_no_mllp_is_closed(mail: Mail, raw: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", mail.app.state.mllp_port)
    writer.write(raw)
    assert await asyncio.wait_for(reader.read(), PATIENCE_SECONDS) == b""
    writer.close()


async def test_pieces_and_pipelined_messages_are_put_together(mail: Mail) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", mail.app.state.mllp_port)
    framed = (START + b"one" + END) * 2
    for place in range(0, len(framed), 2):
        writer.write(framed[place : place + 2])
        await writer.drain()
    for _ in range(2):
        assert b"MSA|AE" in await asyncio.wait_for(reader.readuntil(END), PATIENCE_SECONDS)
    writer.close()


async def test_a_sender_belongs_to_one_space(mail: Mail) -> None:
    application = await registered(mail)
    other = f"/s/{mail.space}-b/_sandbox/mss"
    await mail.http.post(
        f"{other}/mailboxes", json={"address": BOX, "kind": "APP", "label": "PFI", "owners": [KIT]}
    )
    taken = await mail.http.put(
        f"{other}/hl7/senders",
        json={"application": application, "facility": "labo", "mailbox": BOX},
    )
    assert (taken.status_code, taken.json()["error"]) == (409, "sender_taken")
    assert (await mail.http.get(f"{other}/hl7/senders")).json() == []


@asynccontextmanager
async def creator() -> AsyncIterator[tuple[str, list[bytes]]]:
    """A CREATEUR's listener, by the server of the package `hl7`."""
    from hl7.mllp import start_hl7_server

    came: list[bytes] = []

    async def serve(reader: Any, writer: Any) -> None:
        message = await reader.readmessage()
        came.append(str(message).encode())
        writer.writemessage(message.create_ack())
        await writer.drain()
        writer.close()

    server = await start_hl7_server(serve, host="127.0.0.1", port=0, encoding="utf-8")
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", came
