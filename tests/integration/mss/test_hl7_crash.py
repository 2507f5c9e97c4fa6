"""The process dies at each point between a message and the DMP: nothing is lost, nothing comes twice."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import hl7
import pytest
from hl7.client import MLLPClient
from sqlalchemy import text

from services.dmp.app import build as build_dmp
from services.dmp.settings import DmpSettings
from services.mss.hl7v2.mllp import END, START
from socle.db.database import Database
from socle.testing.hl7_orders import COLLEAGUE, PS, order
from socle.testing.serving import serving
from socle.testing.tokens import TokenMint
from tests.patience import PATIENCE_SECONDS

from .conftest import Mail
from .running import environment_of, start, stop
from .test_hl7 import acknowledgements, inbox, registered
from .test_hl7_dmp import Platform

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("nothing_pending")]
FLAGS = {**PS, "DESTDMP": "Y", "ACK_RECEPTION": "Y"}


def answer(port: int, message: str) -> str:
    """MSA-1, or nothing where the connection ends without an answer."""
    try:
        with MLLPClient("127.0.0.1", port) as client:
            raw = bytes(client.send_message(message.encode())).strip(START + END)
    except (ConnectionError, RuntimeError):
        return ""
    return str(hl7.parse(raw.decode()).segment("MSA")[1]) if raw else ""


@pytest.mark.parametrize("point", ["mss.hl7_mailed", "mss.hl7_accepted", "mss.deposited"])
async def test_one_mail_one_document_and_one_of_each_acknowledgement(
    mail: Mail, database: Database, database_url: str, mint: TokenMint, home: Path,
    settings_values: dict[str, Any], point: str,
) -> None:  # fmt: skip
    """Another process of the service is killed; one that starts after it goes on."""
    application = await registered(mail)
    platform = Platform(mail, None, database, application)  # type: ignore[arg-type]
    await platform.say()
    message = order(application=application, recipients=[COLLEAGUE], flags=FLAGS)
    dmp = build_dmp(DmpSettings(**settings_values, home=home))
    more = {"SOCLE_PSEUDONYM_KEY": "test-pseudonym-key", "SOCLE_WORKERS": "inline"}
    async with serving(lambda _: dmp) as url:
        with environment_of(database_url, home, mint, SOCLE_DMP_URL=url, **more) as environment:
            port = int(environment["SOCLE_MSS_MLLP_PORT"])
            first = await mail.run(lambda: start(environment, SOCLE_FAILPOINTS=f"{point}=1"))
            said = await mail.run(lambda: answer(port, message))
            assert said == ("AA" if point == "mss.deposited" else "")
            assert await mail.run(lambda: first.wait(PATIENCE_SECONDS)) == -signal.SIGKILL

            second = await mail.run(lambda: start(environment))
            assert await mail.run(lambda: answer(port, message)) == "AA"
            async with asyncio.timeout(PATIENCE_SECONDS):
                while await platform.outcomes() != [("done", "")]:  # noqa: ASYNC110 (another process does it)
                    await asyncio.sleep(0.1)
            await mail.run(lambda: stop(second))
    assert len(await inbox(mail)) == 1
    assert [*await platform.registered()] == ["2.25.1"]
    events = [
        str(hl7.parse(it["content"]).segment("MSH")[9]) for it in await acknowledgements(mail)
    ]
    assert sorted(events) == ["ZAM^Z01^ZAM_Z01", "ZAM^Z02^ZAM_Z01"]
    async with database.read() as session:
        told = await session.execute(
            text(
                "SELECT count(*) FROM dmp.outbox WHERE convert_from(value, 'UTF8')::jsonb ->> 'space'"
                " = :space AND convert_from(value, 'UTF8')::jsonb ->> 'type'"
                " = 'dmp.document.registered.v1'"
            ),
            {"space": mail.space},
        )
        assert told.scalar_one() == 1
