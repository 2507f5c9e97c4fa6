"""SMTP submission: who may send, what is refused and how, what is stored."""

import smtplib
from email.parser import BytesParser
from email.policy import default

import orjson
import pytest
from sqlalchemy import text

from socle.db.database import Database
from tests.patience import PATIENCE_SECONDS

from .conftest import KIT, KIT_BOX, ROBERT, ROBERT_BOX, Mail, decoded, oauthbearer, xoauth2
from .samples import XML, message

pytestmark = pytest.mark.postgres


async def listed(mail: Mail, who: str = ROBERT, box: str = ROBERT_BOX) -> list[dict[str, object]]:
    answer = await mail.http.get(
        f"/mss/mailboxes/{box}/messages", headers=mail.mint.headers(mail.space, who)
    )
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = answer.json()["messages"]
    return found


class TestLogin:
    async def test_offers_no_login_when_there_is_no_tls(self, mail: Mail) -> None:
        def work() -> tuple[dict[str, str], tuple[int, bytes]]:
            with mail.smtp_clear() as client:
                client.ehlo()
                features = dict(client.esmtp_features)
                return features, client.docmd("MAIL", f"FROM:<{KIT_BOX}>")

        features, (code, _) = await mail.run(work)
        assert "auth" not in features
        assert {"starttls", "size", "8bitmime"} <= features.keys()
        assert code == 530

    async def test_is_refused_when_the_client_is_not_logged_in(self, mail: Mail) -> None:
        def work() -> tuple[int, bytes]:
            with mail.smtp_tls() as client:
                assert client.esmtp_features["auth"].split() == ["OAUTHBEARER", "XOAUTH2"]
                return client.docmd("MAIL", f"FROM:<{KIT_BOX}>")

        assert (await mail.run(work))[0] == 530

    @pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
    async def test_takes_a_token_when_it_is_long(self, mail: Mail, mechanism: str) -> None:
        token = mail.mint.token(mail.space, KIT, padding="x" * 3000)
        form = xoauth2 if mechanism == "XOAUTH2" else oauthbearer

        def work() -> int:
            with mail.smtp_tls() as client:
                code, _ = client.auth(mechanism, lambda _=None: form(KIT_BOX, token))
                return int(code)

        assert await mail.run(work) == 235

    async def test_answers_334_with_json_then_535_when_the_token_is_bad(self, mail: Mail) -> None:
        def work() -> tuple[tuple[int, bytes], tuple[int, bytes]]:
            with mail.smtp_tls() as client:
                import base64

                blob = base64.b64encode(xoauth2(KIT_BOX, "bad.token.here").encode()).decode()
                return client.docmd("AUTH", f"XOAUTH2 {blob}"), client.docmd("")

        challenge, end = await mail.run(work)
        assert challenge[0] == 334
        assert orjson.loads(decoded(challenge[1].decode())) == {
            "status": "401",
            "schemes": "bearer",
            "scope": "mail",
        }
        assert end[0] == 535

    async def test_is_refused_when_the_mailbox_is_anothers(self, mail: Mail) -> None:
        def work() -> None:
            with mail.smtp(KIT, ROBERT_BOX):
                pass

        with pytest.raises(smtplib.SMTPAuthenticationError, match="has no such mailbox here"):
            await mail.run(work)

    async def test_says_why_a_token_is_refused(self, mail: Mail) -> None:
        with pytest.raises(smtplib.SMTPAuthenticationError, match="is not a signed JWT"):
            await mail.run(lambda: log_in_as(mail, "XOAUTH2", "not-a-token"))

    async def test_takes_the_name_of_a_mechanism_in_lower_case(self, mail: Mail) -> None:
        assert await mail.run(lambda: log_in_as(mail, "xoauth2", mail.token())) == 235


def log_in_as(mail: Mail, mechanism: str, token: str) -> int:
    with mail.smtp_tls() as client:
        return int(client.auth(mechanism, lambda _=None: xoauth2(KIT_BOX, token))[0])


class TestSend:
    async def test_reaches_the_recipient_byte_for_byte(self, mail: Mail) -> None:
        sent = message()
        await mail.run(lambda: mail.submit(sent))
        (found,) = await listed(mail)
        answer = await mail.http.get(
            f"/mss/messages/{found['id']}", headers=mail.mint.headers(mail.space, ROBERT)
        )
        assert answer.content == sent
        part = BytesParser(policy=default).parsebytes(answer.content).get_payload(1)
        assert part.get_payload(decode=True) == XML  # type: ignore[union-attr]

    async def test_takes_the_name_of_who_submitted_and_does_not_believe_it(
        self, mail: Mail
    ) -> None:
        """AUTH of MAIL (RFC 4954 §5), which JavaMail sends for mail.smtp.submitter."""

        def work() -> list[int]:
            with mail.smtp() as client:
                codes = []
                for value in ("<>", "e+3Dmc2@example.org", "x" * 490):
                    codes.append(client.mail(KIT_BOX, [f"AUTH={value}"])[0])
                    codes.append(client.rcpt(ROBERT_BOX)[0])
                    client.rset()
                codes.append(client.mail(ROBERT_BOX, [f"AUTH={ROBERT_BOX}"])[0])
                return codes

        assert await mail.run(work) == [250] * 6 + [553]

    async def test_is_hidden_from_others(self, mail: Mail) -> None:
        await mail.run(lambda: mail.submit(message()))
        (found,) = await listed(mail)
        for path in (f"/mss/messages/{found['id']}", f"/mss/mailboxes/{ROBERT_BOX}/messages"):
            answer = await mail.http.get(path, headers=mail.mint.headers(mail.space, KIT))
            assert answer.status_code == 404

    async def test_is_refused_when_the_sender_is_not_the_callers(self, mail: Mail) -> None:
        def work() -> None:
            with mail.smtp() as client:
                client.sendmail(ROBERT_BOX, [ROBERT_BOX], message())

        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            await mail.run(work)
        assert refused.value.smtp_code == 553

    async def test_is_refused_when_the_recipient_is_unknown(self, mail: Mail) -> None:
        def work() -> None:
            with mail.smtp() as client:
                client.sendmail(KIT_BOX, ["nobody@socle.mssante.fr"], message())

        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            await mail.run(work)
        ((code, reason),) = refused.value.recipients.values()
        assert code == 550
        assert reason.startswith(b"5.1.1")

    async def test_is_refused_by_another_name_when_the_domain_is_outside_the_trust_space(
        self, mail: Mail
    ) -> None:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            await mail.run(lambda: mail.submit(message(), "colleague@example.org"))
        ((code, reason),) = refused.value.recipients.values()
        assert (code, reason[:6]) == (550, b"5.1.2 ")
        assert b"whitelist" in reason

    async def test_is_refused_when_the_message_is_too_large(self, mail: Mail) -> None:
        big = message(body="x" * 70 + "\r\n") + (b"y" * 70 + b"\r\n") * 15_000

        def announced() -> tuple[int, bytes]:
            with mail.smtp() as client:
                return client.mail(KIT_BOX, [f"SIZE={len(big)}"])

        def sent() -> int:
            with mail.smtp() as client:
                client.mail(KIT_BOX)
                client.rcpt(ROBERT_BOX)
                return client.data(big)[0]

        assert (await mail.run(announced))[0] == 552
        assert await mail.run(sent) == 552
        assert await listed(mail) == []

    async def test_stays_in_its_space(self, mail: Mail, space: str) -> None:
        address = "only.here@socle.mssante.fr"
        made = await mail.http.post(
            f"/s/{space}-b/_sandbox/mss/mailboxes",
            json={"address": address, "label": "Ailleurs", "owners": [ROBERT]},
        )
        assert made.status_code == 201, made.text
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            await mail.run(lambda: mail.submit(message(), address))


class TestRetry:
    async def test_is_delivered_once_when_the_250_was_lost(
        self, mail: Mail, database: Database
    ) -> None:
        for _ in range(2):
            await mail.run(lambda: mail.submit(message()))
        assert len(await listed(mail)) == 1
        async with database.read() as session:
            rows = await session.execute(text("SELECT value FROM mss.outbox"))
            events = [orjson.loads(bytes(row.value)) for row in rows]
        ours = sorted(e["type"] for e in events if e["space"] == mail.space)
        assert ours == ["mss.message.accepted.v1", "mss.message.delivered.v1"]

    async def test_reaches_the_other_recipient_when_it_is_sent_to_each_apart(
        self, mail: Mail
    ) -> None:
        await mail.run(lambda: mail.submit(message()))
        await mail.run(lambda: mail.submit(message(), KIT_BOX))
        assert len(await listed(mail, KIT, KIT_BOX)) == 1

    async def test_is_another_message_when_the_bytes_differ(self, mail: Mail) -> None:
        await mail.run(lambda: mail.submit(message()))
        await mail.run(lambda: mail.submit(message(body="Autre")))
        assert [found["uid"] for found in await listed(mail)] == [1, 2]


class TestLongPoll:
    async def test_answers_when_the_message_arrives(self, mail: Mail) -> None:
        import asyncio

        headers = mail.mint.headers(mail.space, ROBERT)
        await mail.http.get("/mss/mailboxes", headers=headers)
        waiting = asyncio.create_task(
            mail.http.get(
                f"/mss/mailboxes/{ROBERT_BOX}/messages?wait=20", headers=headers, timeout=30
            )
        )
        await asyncio.sleep(0.3)
        await mail.run(lambda: mail.submit(message()))
        answer = await asyncio.wait_for(waiting, PATIENCE_SECONDS)
        assert len(answer.json()["messages"]) == 1
