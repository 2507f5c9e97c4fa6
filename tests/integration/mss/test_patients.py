"""Mail to patients: whose address takes mail, and what comes back where none does."""

import smtplib
from email.message import EmailMessage, Message
from pathlib import Path
from typing import Any

import httpx
import pytest

from socle.db.database import Database
from socle.ids.ins import CITIZEN_DOMAIN
from socle.testing.tokens import TokenMint
from tests.patience import PATIENCE_SECONDS

from .citizen import ANNE, LEO, Citizen, body_of, letter, received
from .conftest import KIT, KIT_BOX, ROBERT_BOX, Mail, mail_service

pytestmark = pytest.mark.postgres
PERSON = {
    "family_name": "CITOYENNE", "given_names": "ANNE", "sex": "F", "birth_date": "1979-03-05",
    "birth_place": "51215", "oid": ANNE.oid, "matricule": ANNE.with_key, "qualified": True,
}  # fmt: skip
AUTOMATIC = f"reponse.automatique-test@{CITIZEN_DOMAIN}"


@pytest.fixture
async def anne(mail: Mail, database: Database) -> Citizen:
    """A qualified patient with a mailbox as everybody has."""
    citizen = Citizen(mail, database)
    await citizen.say()
    return citizen


def status_fields(report: EmailMessage) -> tuple[Message, Message]:
    """Of the message, and of its one recipient (RFC 3464)."""
    assert report.get_content_type() == "multipart/report"
    _, status, _ = report.iter_parts()
    groups = status.get_payload()
    assert isinstance(groups, list)
    of_message, of_recipient = groups
    assert isinstance(of_message, Message)
    assert isinstance(of_recipient, Message)
    return of_message, of_recipient


class TestAddress:
    async def test_takes_mail_when_the_ins_is_qualified(self, anne: Citizen) -> None:
        await anne.receive()
        (found,) = await anne.inbox()
        assert found["subject"] == "Votre compte rendu"
        assert found["reply"] == "REPLY"
        assert await received(anne.mail) == []

    async def test_takes_mail_in_any_case(self, anne: Citizen) -> None:
        corsican = Citizen(anne.mail, anne.database, LEO)
        await corsican.say()

        def work() -> None:
            with anne.mail.smtp() as client:
                client.sendmail(KIT_BOX, [LEO.citizen_address.upper()], letter())

        await anne.mail.run(work)
        assert len(await corsican.inbox()) == 1

    async def test_bounces_when_the_key_is_wrong(self, anne: Citizen) -> None:
        key = int(ANNE.key)
        wrong = f"{ANNE.matricule}{(key % 97) + 1:02d}@{CITIZEN_DOMAIN}"

        def work() -> None:
            with anne.mail.smtp() as client:
                assert client.sendmail(KIT_BOX, [wrong], letter(wrong)) == {}

        await anne.mail.run(work)
        (report,) = await received(anne.mail)
        assert report["From"] == f"MAILER-DAEMON@{CITIZEN_DOMAIN}"
        assert report["Subject"] == "Message non distribué"
        _, recipient = status_fields(report)
        assert recipient["Status"] == "5.1.3"
        assert recipient["Final-Recipient"] == f"rfc822; {wrong}"
        (refused,) = await anne.events("refused")
        assert refused["reason"] == "invalid_address"
        assert refused["told_by"] == "report"

    async def test_bounces_when_the_ins_is_no_longer_qualified(self, anne: Citizen) -> None:
        await anne.say(qualified=False, later=1)
        await anne.receive()
        (report,) = await received(anne.mail)
        assert status_fields(report)[1]["Status"] == "5.1.1"
        assert (await anne.post("/messages")).status_code == 404

    async def test_stays_in_its_space(self, anne: Citizen) -> None:
        """Another space with the same patient has its own mailbox."""
        await anne.receive()
        anne.mail.space += "-b"
        assert (await anne.post("/messages")).status_code == 404
        await anne.say()
        assert await anne.inbox() == []

    async def test_is_asked_of_ins_when_no_event_has_come_yet(
        self,
        settings_values: dict[str, Any],
        mint: TokenMint,
        space: str,
        database: Database,
        ins_url: str,
        home: Path,
    ) -> None:
        """Anne is made known and qualified; Léo has an identity that is not."""
        async with (
            mail_service(settings_values, mint, space, home, ins_url=ins_url) as mail,
            httpx.AsyncClient(base_url=f"{ins_url}/s/{space}", timeout=PATIENCE_SECONDS) as ins,
        ):
            made = await ins.post("/_sandbox/ins/people", json=PERSON)
            assert made.status_code == 201, made.text
            for citizen in (Citizen(mail, database), Citizen(mail, database, LEO)):
                await citizen.receive()
            (report,) = await received(mail)
            assert LEO.citizen_address in body_of(report)
            (accepted, other) = await Citizen(mail, database).events("accepted")
            assert accepted["patients"] == [Citizen(mail, database).pseudonym]
            assert other["patients"] == []

    async def test_is_told_to_come_back_when_ins_is_silent(self, anne: Citizen) -> None:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            await Citizen(anne.mail, anne.database, LEO).receive()
        ((code, _),) = refused.value.recipients.values()
        assert code == 451
        assert await anne.events("refused") == []


class TestState:
    @pytest.mark.parametrize(
        ("path", "status", "reason"),
        [("/close", "5.2.1", "closed"), ("/oppose", "5.1.1", "opposed")],
    )
    async def test_bounces_when_the_patient_has_no_mailbox_any_more(
        self, anne: Citizen, path: str, status: str, reason: str
    ) -> None:
        await anne.ask(path)
        await anne.receive()
        (report,) = await received(anne.mail)
        assert status_fields(report)[1]["Status"] == status
        (refused,) = await anne.events("refused")
        assert (refused["reason"], refused["patient"]) == (reason, anne.pseudonym)
        (accepted,) = await anne.events("accepted")
        assert accepted["patients"] == []
        assert await anne.events("delivered") == []

    async def test_takes_mail_again_when_it_is_reopened(self, anne: Citizen) -> None:
        await anne.ask("/close")
        await anne.ask("/reopen")
        await anne.receive()
        assert len(await anne.inbox()) == 1

    async def test_keeps_mail_for_a_patient_who_has_not_activated_it(self, anne: Citizen) -> None:
        await anne.ask("/mailbox", state="auto_created", email="anne@example.org")
        await anne.receive()
        (found,) = await anne.inbox()
        assert (await anne.post("/messages/read", id=found["id"])).status_code == 409
        assert await anne.ask("/notifications") == []
        await anne.ask("/reopen")
        await anne.ask("/messages/read", id=found["id"])

    async def test_bounces_when_the_space_says_that_nobody_opened_one(self, anne: Citizen) -> None:
        await anne.rules(default_state="auto_created", auto_created="refuse")
        await anne.receive()
        (report,) = await received(anne.mail)
        assert "pas activée" in body_of(report)


class TestRefusal:
    async def test_is_told_at_rcpt_when_the_space_wants_it_so(self, anne: Citizen) -> None:
        await anne.ask("/close")
        await anne.rules(
            refusal="rcpt",
            answers={"closed": {"code": 554, "status": "5.7.1", "text": "Boîte fermée à clé."}},
        )
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            await anne.receive()
        ((code, words),) = refused.value.recipients.values()
        assert (code, words) == (554, b"5.7.1 Boite fermee a cle.")
        (told,) = await anne.events("refused")
        assert (told["told_by"], told["code"], told["reason"]) == ("smtp", 554, "closed")
        assert await received(anne.mail) == []

    async def test_comes_back_when_the_message_is_too_large_for_patients(
        self, anne: Citizen
    ) -> None:
        await anne.rules(max_bytes=2048)
        big = letter(anne.address).replace(b"Bonjour", b"x" * 500 + (b"\r\n" + b"y" * 500) * 4)
        await anne.receive(big)
        (report,) = await received(anne.mail)
        assert report["Subject"] == "Undelivered Mail Returned to Sender"
        assert status_fields(report)[1]["Status"] == "5.3.4"
        assert await anne.inbox() == []

    async def test_is_told_once_when_the_250_was_lost(self, anne: Citizen) -> None:
        await anne.ask("/close")
        sent = letter()
        for _ in range(2):
            await anne.receive(sent)
        assert len(await received(anne.mail)) == 1
        assert len(await anne.events("refused")) == 1

    async def test_is_not_told_when_the_message_has_no_return_path(self, anne: Citizen) -> None:
        await anne.ask("/close")
        await anne.receive(sender="")
        assert await received(anne.mail) == []
        assert len(await anne.events("refused")) == 1

    async def test_reaches_the_others_when_one_patient_is_unknown(self, anne: Citizen) -> None:
        leo = Citizen(anne.mail, anne.database, LEO)
        await leo.say(qualified=False)

        def work() -> None:
            with anne.mail.smtp() as client:
                client.sendmail(
                    KIT_BOX, [leo.address, ROBERT_BOX, anne.address], letter(anne.address)
                )

        await anne.mail.run(work)
        assert len(await anne.inbox()) == 1
        assert len(await received(anne.mail, "899700218896", ROBERT_BOX)) == 1
        assert len(await received(anne.mail)) == 1
        (accepted,) = await anne.events("accepted")
        assert accepted["recipient_kinds"] == {"PATIENT": 2, "PER": 1}
        assert accepted["direction"] == "professional-to-patient"

    @pytest.mark.parametrize("pharmacy", ["", "pharmacie", "a\0b@x.mssante.fr", "a@b c"])
    async def test_of_a_pharmacy_that_has_no_address_is_explained(
        self, anne: Citizen, pharmacy: str
    ) -> None:
        rules = f"/s/{anne.mail.space}/_sandbox/mss/patient-rules"
        answer = await anne.mail.http.put(rules, json={"pharmacies": [pharmacy]})
        assert answer.status_code == 400
        assert "pharmacies" in answer.text

    async def test_of_rules_that_contradict_themselves_is_explained(self, anne: Citizen) -> None:
        answer = await anne.mail.http.put(
            f"/s/{anne.mail.space}/_sandbox/mss/patient-rules",
            json={"answers": {"closed": {"code": 550, "status": "4.2.1", "text": "x"}}},
        )
        assert answer.status_code in (400, 422)
        assert "one class" in answer.text


class TestAutomaticAnswer:
    async def test_comes_to_the_sender(self, anne: Citizen) -> None:
        sent = letter(AUTOMATIC)

        def work() -> None:
            with anne.mail.smtp() as client:
                client.sendmail(KIT_BOX, [AUTOMATIC], sent)

        await anne.mail.run(work)
        (answer,) = await received(anne.mail)
        assert answer["From"] == AUTOMATIC
        assert answer["Auto-Submitted"] == "auto-replied"
        assert answer["Subject"] == "Re: Votre compte rendu"
        assert str(answer["In-Reply-To"]).encode() in sent

    async def test_does_not_come_to_a_machine(self, anne: Citizen) -> None:
        def work() -> None:
            with anne.mail.smtp() as client:
                client.sendmail(KIT_BOX, [AUTOMATIC], letter(Auto_Submitted="auto-generated"))
                client.sendmail("", [AUTOMATIC], letter())

        await anne.mail.run(work)
        assert await received(anne.mail) == []


async def test_the_sender_is_told_by_professional_and_structure(anne: Citizen) -> None:
    box = "labo@socle.mssante.fr"
    made = await anne.mail.http.post(
        f"/s/{anne.mail.space}/_sandbox/mss/mailboxes",
        json={
            "address": box, "kind": "ORG", "label": "Labo", "owners": [KIT],
            "structure": "1010007300",
        },
    )  # fmt: skip
    assert made.status_code == 201, made.text
    await anne.receive(sender=box)
    (delivered,) = await anne.events("delivered")
    assert delivered["sender_kind"] == "ORG"
    assert delivered["professional"] == KIT
    assert delivered["structure"] == {"kind": "finess", "number": "010007300"}
    assert delivered["patient"] == anne.pseudonym


async def test_the_domain_of_patients_is_not_for_professionals(anne: Citizen) -> None:
    made = await anne.mail.http.post(
        f"/s/{anne.mail.space}/_sandbox/mss/mailboxes",
        json={"address": anne.address, "label": "X", "owners": [KIT]},
    )
    assert made.status_code == 422
    assert "MSS-PATIENT-ADDRESS" in made.text
