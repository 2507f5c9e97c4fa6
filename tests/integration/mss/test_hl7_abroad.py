"""HL7v2 to another operator: whether its server took the mail is known later, by a delivery report."""

import asyncio
from typing import Any

import hl7
import pytest
from sqlalchemy import text

from services.mss.hl7v2 import worker
from socle.db.database import Database
from socle.testing.hl7_orders import COLLEAGUE, PS, order
from tests.patience import PATIENCE_SECONDS

from .conftest import Mail
from .test_hl7 import acknowledgements, exchange, registered, said

pytestmark = pytest.mark.postgres
NEIGHBOUR = "cabinet@voisin.mssante.fr"


async def control(mail: Mail, method: str, path: str, body: Any = None) -> None:
    answer = await mail.http.request(method, f"/s/{mail.space}/_sandbox/mss{path}", json=body)
    assert answer.is_success, answer.text


async def told(mail: Mail, count: int) -> list[tuple[str, str, str]]:
    """Of the ZAM^Z02, once there are `count`: Y or N, the recipient, and the code of SMTP."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            while await worker.note_next(mail.app.state.kernel):
                pass
            found = [hl7.parse(it["content"]) for it in await acknowledgements(mail)]
            if len(found) >= count:
                break
            await asyncio.sleep(0.05)
    return sorted(
        (
            str(it.segments("OBX")[0][5])[:1],
            str(it.segments("OBX")[1][5]).removeprefix("^^X.400^"),
            str(it.segment("ERR")[5])[:3] if len(it) > 4 else "",
        )
        for it in found
    )


async def send(mail: Mail, application: str) -> None:
    message = order(
        application=application,
        recipients=[COLLEAGUE, NEIGHBOUR],
        flags={**PS, "ACK_RECEPTION": "Y"},
    )
    assert said(await exchange(mail, message)) == "AA"


async def test_a_neighbour_is_told_of_when_its_server_took_the_mail(mail: Mail) -> None:
    await send(mail, await registered(mail))
    assert await told(mail, 2) == [("Y", NEIGHBOUR, ""), ("Y", COLLEAGUE, "")]


async def test_a_failure_that_comes_later_is_told_with_its_code(mail: Mail) -> None:
    await control(mail, "PUT", "/trust/operators/voisin/answer", {"answer": "552 5.2.2 full"})
    await send(mail, await registered(mail))
    assert await told(mail, 2) == [("N", NEIGHBOUR, "552"), ("Y", COLLEAGUE, "")]


async def test_a_recipient_is_told_of_once(mail: Mail, database: Database) -> None:
    """As a mail server that sends its report twice would have it."""
    await send(mail, await registered(mail))
    assert len(await told(mail, 2)) == 2
    async with database.write() as session:
        await session.execute(
            text("UPDATE mss.hl7_sender SET seen_uid = 0 WHERE space = :space"),
            {"space": mail.space},
        )
    assert len(await told(mail, 2)) == 2


async def test_what_became_of_the_mails_of_a_process_that_died_is_looked_up(
    mail: Mail, database: Database
) -> None:
    application = await registered(mail)
    nobody = "nobody@socle.mssante.fr"
    message = order(
        application=application,
        recipients=[COLLEAGUE, nobody],
        flags={**PS, "ACK_RECEPTION": "Y"},
    )
    await exchange(mail, message)
    async with database.write() as session:
        await session.execute(
            text("DELETE FROM mss.hl7_message WHERE space = :space"), {"space": mail.space}
        )
    assert said(await exchange(mail, message)) == "AA"
    assert await told(mail, 2) == [("N", nobody, "550"), ("Y", COLLEAGUE, "")]
