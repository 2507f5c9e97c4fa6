"""TLS from the first octet on, for clients that know no STARTTLS; only where a port is set for it."""

import imaplib
import smtplib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from socle.testing.stack import free_ports
from socle.testing.tokens import TokenMint
from tests.patience import PATIENCE_SECONDS

from .certificates import held
from .conftest import KIT, KIT_BOX, ROBERT, ROBERT_BOX, Mail, mail_service, xoauth2
from .samples import message

pytestmark = pytest.mark.postgres
APP_BOX = "automate@socle.mssante.fr"


@pytest.fixture
async def encrypted(
    settings_values: dict[str, Any], mint: TokenMint, space: str, home: Path
) -> AsyncIterator[tuple[Mail, int, int]]:
    smtps, imaps = free_ports(2)
    async with mail_service(
        settings_values, mint, space, home, mss_smtps_port=smtps, mss_imaps_port=imaps
    ) as mail:
        yield mail, smtps, imaps


async def test_mail_is_sent_and_read(encrypted: tuple[Mail, int, int]) -> None:
    mail, smtps, imaps = encrypted

    def work() -> bytes:
        with smtplib.SMTP_SSL(
            "127.0.0.1", smtps, timeout=PATIENCE_SECONDS, context=mail.trust
        ) as sending:
            sending.ehlo()
            assert "starttls" not in sending.esmtp_features
            sending.auth("XOAUTH2", lambda _=None: xoauth2(KIT_BOX, mail.token(KIT)))
            sending.sendmail(KIT_BOX, [ROBERT_BOX], message())
        with imaplib.IMAP4_SSL(
            "127.0.0.1", imaps, ssl_context=mail.trust, timeout=PATIENCE_SECONDS
        ) as reading:
            assert "AUTH=XOAUTH2" in reading.capabilities
            assert "STARTTLS" not in reading.capabilities
            blob = xoauth2(ROBERT_BOX, mail.token(ROBERT)).encode()
            reading.authenticate("XOAUTH2", lambda _: blob)
            reading.select()
            found: Any = reading.fetch("1", "(RFC822)")[1][0]
            return bytes(found[1])

    assert await mail.run(work) == message()


async def test_a_certificate_opens_an_applicative_mailbox(
    encrypted: tuple[Mail, int, int], tmp_path: Path
) -> None:
    mail, smtps, imaps = encrypted
    made = await mail.http.post(
        f"/s/{mail.space}/_sandbox/mss/mailboxes",
        json={"address": APP_BOX, "kind": "APP", "label": "Automate", "owners": []},
    )
    assert made.status_code == 201
    own = (await held(mail, f"/mailboxes/{APP_BOX}/certificates", tmp_path)).context()

    def work() -> tuple[int, str]:
        with smtplib.SMTP_SSL("localhost", smtps, timeout=PATIENCE_SECONDS, context=own) as sending:
            sending.ehlo()
            code, _ = sending.auth("EXTERNAL", lambda _=None: APP_BOX)
        with imaplib.IMAP4_SSL(
            "localhost", imaps, ssl_context=own, timeout=PATIENCE_SECONDS
        ) as reading:
            return code, reading.authenticate("EXTERNAL", lambda _: APP_BOX.encode())[0]

    assert await mail.run(work) == (235, "OK")


async def test_the_ports_stand_in_the_zone(encrypted: tuple[Mail, int, int]) -> None:
    mail, smtps, imaps = encrypted
    zone = (await mail.http.get(f"/s/{mail.space}/_sandbox/mss/autoconfig/zone")).text
    host = "mss.socle.localhost."
    assert f"_submissions._tcp.socle.mssante.fr. 3600 IN SRV 0 1 {smtps} {host}\n" in zone
    assert f"_imaps._tcp.socle.mssante.fr. 3600 IN SRV 0 1 {imaps} {host}\n" in zone
