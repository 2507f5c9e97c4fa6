"""Reports on messages, and spaces that enforce the rules."""

import smtplib
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.mss import linting
from services.mss.domain.envelope import Envelope, Recipient
from services.mss.transport.reception import Reception
from socle.db.database import Database

from .conftest import ROBERT, ROBERT_BOX, Mail
from .letters import letter
from .samples import message

pytestmark = pytest.mark.postgres


async def submitted(mail: Mail, content: bytes) -> str:
    """The id of the message, as the 250 tells it."""

    def work() -> str:
        with mail.smtp() as client:
            client.mail("kit.doc0042788@socle.mssante.fr")
            client.rcpt("robert.specialiste0021889@socle.mssante.fr")
            return client.data(content)[1].decode().rsplit(" ", 1)[1]

    return await mail.run(work)


async def read(mail: Mail, path: str, who: str = ROBERT) -> Any:
    answer = await mail.http.get(path, headers=mail.mint.headers(mail.space, who))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def policy(mail: Mail, mode: str) -> None:
    path = f"/s/{mail.space}/_sandbox/mss/lint"
    changed = await mail.http.put(path, json={"mode": mode})
    assert changed.status_code == 200, changed.text
    assert (await mail.http.get(path)).json()["mode"] == mode


def outcomes(report: Any) -> dict[str, str]:
    return {it["id"]: it["outcome"] for it in report["rules"]}


def reason(answer: httpx.Response) -> str:
    return str(answer.json()["error"])


async def test_a_right_mail_has_a_report_that_passes(mail: Mail) -> None:
    report = await read(mail, f"/mss/messages/{await submitted(mail, letter())}/report")
    assert report["outcome"] == "passed", report
    found = outcomes(report)
    assert found["MSS-XDM"] == found["MSS-SUBJECT"] == found["MSS-TLS"] == "passed"
    passage = report["passage"]
    assert (passage["sender_kind"], passage["mechanism"]) == ("PER", "XOAUTH2")
    (nil,) = (it for it in report["rules"] if it["id"] == "MSS-NIL")
    assert (nil["requirement"], nil["segur"]) == ("ECO.2.4.3", "SC.MSS/CONF.16")


async def test_a_wrong_mail_is_delivered_and_told(mail: Mail) -> None:
    identifier = await submitted(mail, message())
    report = await read(mail, f"/mss/messages/{identifier}/report")
    assert report["outcome"] == "failed"
    found = outcomes(report)
    assert found["MSS-CODECDA"] == found["MSS-INS"] == "failed"
    (code,) = (it for it in report["rules"] if it["id"] == "MSS-CODECDA")
    assert code["findings"][0]["path"] == "header:X-MSS-CODECDA"


async def test_the_worker_makes_what_nobody_asked_for(mail: Mail, database: Database) -> None:
    first, second = await submitted(mail, message()), await submitted(mail, letter())
    kernel = mail.app.state.kernel
    waiting = await read(mail, "/mss/reports/summary")
    assert (waiting["messages"], waiting["waiting"]) == (0, 2)
    assert [it["outcome"] for it in (await read(mail, "/mss/reports"))["reports"]] == [None, None]
    while await linting.lint_next(kernel):
        pass
    listed = await read(mail, "/mss/reports")
    assert [(it["message"], it["outcome"]) for it in listed["reports"]] == [
        (first, "failed"), (second, "passed"),
    ]  # fmt: skip
    assert listed["next_after"] == second
    summary = await read(mail, "/mss/reports/summary")
    assert (summary["messages"], summary["waiting"]) == (2, 0)
    (nil,) = (it for it in summary["rules"] if it["id"] == "MSS-NIL")
    assert nil["outcomes"] == {"passed": 2}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("outcome=failed", 1), ("outcome=passed", 1), ("outcome=warning", 0), ("rule=MSS-CODECDA", 1),
        ("rule=MSS-NIL", 0), ("requirement=ECO.2.4.1", 1), ("requirement=SC.MSS/CONF.15", 1),
        ("requirement=ECO.2.4.3", 0), ("limit=1", 1), ("after=ffffffff-ffff-ffff-ffff-ffffffffffff", 0),
    ],
)  # fmt: skip
async def test_reports_are_found_by_what_they_say(mail: Mail, query: str, expected: int) -> None:
    for content in (message(), letter()):
        await read(mail, f"/mss/messages/{await submitted(mail, content)}/report")
    assert len((await read(mail, f"/mss/reports?{query}"))["reports"]) == expected


async def test_a_report_of_older_rules_is_made_anew(mail: Mail, database: Database) -> None:
    identifier = await submitted(mail, letter())
    first = await read(mail, f"/mss/messages/{identifier}/report")
    async with database.write() as session:
        await session.execute(
            text("UPDATE mss.report SET rules_version = 0, verdicts = '[]' WHERE space = :space"),
            {"space": mail.space},
        )
    assert await read(mail, f"/mss/messages/{identifier}/report") == first


async def test_a_space_that_enforces_refuses_at_the_end_of_data(mail: Mail) -> None:
    await policy(mail, "enforce")

    def refused() -> tuple[int, bytes | str]:
        with mail.smtp() as client, pytest.raises(smtplib.SMTPDataError) as error:
            client.sendmail(
                "kit.doc0042788@socle.mssante.fr",
                ["robert.specialiste0021889@socle.mssante.fr"],
                message(),
            )
        return error.value.smtp_code, error.value.smtp_error

    code, said = await mail.run(refused)
    assert code == 550
    assert isinstance(said, bytes)
    assert said.startswith(b"5.7.1 MSS-")
    assert b"ECO." in said
    assert (await read(mail, "/mss/reports"))["reports"] == []
    identifier = await submitted(mail, letter())
    (only,) = (await read(mail, "/mss/reports"))["reports"]
    assert (only["message"], only["outcome"]) == (identifier, "passed")


async def test_a_space_that_does_not_want_them_has_none(mail: Mail) -> None:
    await policy(mail, "off")
    identifier = await submitted(mail, message())
    answer = await mail.http.get(
        f"/mss/messages/{identifier}/report", headers=mail.mint.headers(mail.space, ROBERT)
    )
    assert answer.status_code == 404
    assert reason(answer) == "report_unknown"


async def test_a_report_is_not_read_from_another_space(mail: Mail) -> None:
    identifier = await submitted(mail, message())
    answer = await mail.http.get(
        f"/mss/messages/{identifier}/report", headers=mail.mint.headers(f"{mail.space}-b", ROBERT)
    )
    assert answer.status_code == 404
    listed = await mail.http.get(
        "/mss/reports", headers=mail.mint.headers(f"{mail.space}-b", ROBERT)
    )
    assert listed.json()["reports"] == []


async def test_a_rule_that_nobody_knows_is_refused(mail: Mail) -> None:
    answer = await mail.http.get(
        "/mss/reports?rule=MSS-OTHER", headers=mail.mint.headers(mail.space, ROBERT)
    )
    assert (answer.status_code, reason(answer)) == (400, "rule_unknown")


async def test_a_mail_from_another_operator_has_its_report(mail: Mail) -> None:
    intake = mail.app.state.intake
    reception = Reception(intake.kernel, intake.settings, intake.patients)
    envelope = Envelope("ailleurs@voisin.mssante.fr", (Recipient(ROBERT_BOX),))
    await policy(mail, "enforce")  # which is for those who submit here
    identifier = await reception.receive(mail.space, envelope, message())
    report = await read(mail, f"/mss/messages/{identifier}/report")
    assert (report["outcome"], report["passage"]["protocol"]) == ("failed", "peer")
    assert outcomes(report)["MSS-TLS"] == "not-applicable"
