"""The conversation of professionals with a patient: who may write, answer, end it."""

import asyncio
import json

import pytest
from sqlalchemy import text

from services.mss.domain.envelope import Envelope, Recipient
from services.mss.domain.patient_rules import AUTO_REPLY
from services.mss.transport.reception import Reception
from socle.db.database import Database

from .citizen import ANNE, LEO, ORG_BOX, Citizen, body_of, encoded, letter, received
from .conftest import KIT, KIT_BOX, ROBERT, ROBERT_BOX, Mail

pytestmark = pytest.mark.postgres


@pytest.fixture
async def anne(mail: Mail, database: Database) -> Citizen:
    citizen = Citizen(mail, database)
    await citizen.say()
    await citizen.ask("/mailbox", name="Anne Citoyenne", email="anne@example.org")
    return citizen


async def only(anne: Citizen) -> str:
    (found,) = await anne.inbox()
    return str(found["id"])


class TestReply:
    async def test_reaches_the_professional_with_its_attachments(self, anne: Citizen) -> None:
        await anne.receive()
        (question,) = await anne.inbox()
        sent = await anne.ask(
            "/messages/reply",
            id=question["id"],
            text="Merci, à bientôt.",
            attachments=[
                {"filename": "été.pdf", "mime": "application/pdf", "data": encoded(b"%PDF")}
            ],
        )
        (answer,) = await received(anne.mail)
        assert answer["From"] == f"Anne Citoyenne <{anne.address}>"
        assert answer["To"] == KIT_BOX
        assert answer["Subject"] == "Re: Votre compte rendu"
        assert answer["In-Reply-To"] == question["message_id"] == answer["References"]
        assert answer["Message-ID"] == sent["message_id"]
        assert body_of(answer) == "Merci, à bientôt."
        (file,) = answer.iter_attachments()
        assert (file.get_filename(), file.get_content()) == ("été.pdf", b"%PDF")

    async def test_is_told_as_an_event_without_address_or_name(self, anne: Citizen) -> None:
        await anne.receive()
        sent = await anne.ask("/messages/reply", id=await only(anne), text="Oui")
        _, accepted = await anne.events("accepted")
        (replied,) = await anne.events("replied")
        assert accepted["direction"] == replied["direction"] == "patient-to-professional"
        assert accepted["patients"] == [replied["patient"]] == [anne.pseudonym]
        assert replied["reply"] == sent["id"] == accepted["message"]
        assert accepted["professional"] is None
        assert "@" not in str(accepted) + str(replied)

    async def test_goes_to_the_reply_to_address_which_becomes_the_contact(
        self, anne: Citizen
    ) -> None:
        await anne.receive(letter(Reply_To=f"Secrétariat <{ORG_BOX}>"))
        contacts = await anne.ask("/contacts")
        assert [(one["address"], one["typeBal"], one["open"]) for one in contacts] == [
            (ORG_BOX, "ORG", True)
        ]
        await anne.ask("/messages/reply", id=await only(anne), text="Oui")
        assert await received(anne.mail) == []
        assert len(await received(anne.mail, KIT, ORG_BOX)) == 1
        refused = await anne.post("/messages/write", to=KIT_BOX, subject="Et vous ?", text="?")
        assert refused.json()["error"] == "CONTACT_NOT_AUTHORISED"

    async def test_says_who_wrote_it_for_the_patient(self, anne: Citizen) -> None:
        await anne.receive()
        await anne.ask(
            "/messages/reply", id=await only(anne), text="Oui", written_by="sa fille, Zoé"
        )
        (answer,) = await received(anne.mail)
        assert "Message rédigé par sa fille, Zoé." in body_of(answer)

    async def test_is_refused_when_it_is_too_large(self, anne: Citizen) -> None:
        await anne.receive()
        await anne.rules(max_bytes=1500)
        answer = await anne.post("/messages/reply", id=await only(anne), text="x" * 2000)
        assert answer.status_code == 413
        assert answer.json()["error"] == "MSG_FILE_SIZE_EXCEEDED_ERROR"
        assert await received(anne.mail) == []

    @pytest.mark.parametrize(
        ("change", "status", "error"),
        [
            ({"active": False}, 403, "CONTACT_UNKNOWN"),
            ({"quota_bytes": 1024}, 413, "mailbox_full"),
        ],
    )
    async def test_is_refused_when_the_professional_takes_nothing_more(
        self, anne: Citizen, change: dict[str, object], status: int, error: str
    ) -> None:
        await anne.receive()
        changed = await anne.mail.http.patch(
            f"/s/{anne.mail.space}/_sandbox/mss/mailboxes/{KIT_BOX}", json=change
        )
        assert changed.is_success, changed.text
        answer = await anne.post("/messages/reply", id=await only(anne), text="x" * 2000)
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert len(await anne.events("accepted")) == 1

    async def test_is_answered_in_turn_by_the_professional(self, anne: Citizen) -> None:
        await anne.receive()
        sent = await anne.ask("/messages/reply", id=await only(anne), text="Oui")
        await anne.receive(letter(In_Reply_To=sent["message_id"]))
        _, replied = await anne.events("replied")
        assert replied["direction"] == "professional-to-patient"
        assert (replied["message"], replied["professional"]) == (sent["id"], KIT)

    @pytest.mark.parametrize("text", ["\x00", "\ud800", "\r\n.\r\nQUIT", "x" * 5000])
    async def test_carries_any_text(self, anne: Citizen, text: str) -> None:
        await anne.receive()
        answer = await anne.mail.http.post(
            f"/s/{anne.mail.space}/_sandbox/mss/patient/messages/reply",
            content=json.dumps(
                {"address": anne.address, "id": await only(anne), "text": text, "subject": "s"}
            ),
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code in (201, 400, 422), answer.text


class TestRepeated:
    """The same Idempotency-Key."""

    async def test_reply_is_sent_once(self, anne: Citizen) -> None:
        await anne.receive()
        asked = {"id": await only(anne), "text": "Oui", "key": "r1"}
        first = await anne.post("/messages/reply", **asked)
        again = await anne.post("/messages/reply", **asked)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        assert len(await received(anne.mail)) == 1
        assert len(await anne.events("replied")) == 1

    async def test_letters_at_once_are_one(self, anne: Citizen) -> None:
        await anne.receive()
        asked = {"to": KIT_BOX, "subject": "Rendez-vous", "text": "Quand ?", "key": "w1"}
        answers = await asyncio.gather(*(anne.post("/messages/write", **asked) for _ in range(4)))
        assert sorted(one.status_code for one in answers) == [200, 200, 200, 201]
        assert len({one.text for one in answers}) == 1
        assert len(await received(anne.mail)) == 1

    async def test_reply_is_answered_alike_when_the_conversation_has_ended(
        self, anne: Citizen
    ) -> None:
        await anne.receive()
        asked = {"id": await only(anne), "text": "Oui", "key": "r1"}
        await anne.ask("/messages/reply", **asked)
        await anne.receive(letter(subject="[FIN]"))
        assert (await anne.post("/messages/reply", **asked)).status_code == 200
        other = await anne.post("/messages/reply", **{**asked, "key": "r2"})
        assert other.json()["error"] == "REPLY_BLOCKED"

    async def test_key_of_another_letter_is_refused(self, anne: Citizen) -> None:
        await anne.receive()
        await anne.ask("/messages/reply", id=await only(anne), text="Oui", key="r1")
        answer = await anne.post("/messages/reply", id=await only(anne), text="Non", key="r1")
        assert (answer.status_code, answer.json()["error"]) == (409, "reference_taken")
        assert len(await received(anne.mail)) == 1

    async def test_key_is_free_again_when_the_letter_was_refused(self, anne: Citizen) -> None:
        asked = {"to": KIT_BOX, "subject": "?", "text": "?", "key": "w1"}
        assert (await anne.post("/messages/write", **asked)).status_code == 403
        await anne.receive()
        assert (await anne.post("/messages/write", **asked)).status_code == 201

    async def test_key_is_each_patients_own(self, anne: Citizen) -> None:
        leo = Citizen(anne.mail, anne.database, LEO)
        await leo.say()
        for citizen in (anne, leo):
            await citizen.receive()
            asked = {"to": KIT_BOX, "subject": "?", "text": "?", "key": "w1"}
            assert (await citizen.post("/messages/write", **asked)).status_code == 201
        assert len(await received(anne.mail)) == 2


class TestReplyToAll:
    async def test_is_not_offered_for_a_message_to_the_patient_alone(self, anne: Citizen) -> None:
        await anne.receive()
        (found,) = await anne.inbox()
        assert (found["options"], found["reply_to_all"]) == (["REPLY", "NEW_MESSAGE"], [])
        refused = await anne.post(
            "/messages/reply", id=found["id"], text="Oui", option="REPLY_TO_ALL"
        )
        assert (refused.status_code, refused.json()["error"]) == (403, "NO_REPLY_TO_ALL")

    async def test_reaches_those_who_may_be_written_to(self, anne: Citizen) -> None:
        """Robert is in copy, and has never written to her; another patient is never told."""
        await anne.receive(sender=ORG_BOX)
        to = f"{anne.address}, {LEO.citizen_address}, {ORG_BOX}"
        await anne.receive(letter(to, Cc=f"Robert <{ROBERT_BOX}>"))
        found = (await anne.inbox())[1]
        assert found["options"] == ["REPLY", "REPLY_TO_ALL", "NEW_MESSAGE"]
        assert found["reply_to_all"] == [KIT_BOX, ORG_BOX]
        sent = await anne.ask(
            "/messages/reply", id=found["id"], text="À tous", option="REPLY_TO_ALL"
        )
        for box in (KIT_BOX, ORG_BOX):
            answer = (await received(anne.mail, KIT, box))[-1]
            assert (answer["To"], answer["Cc"]) == (KIT_BOX, ORG_BOX)
        assert await received(anne.mail, ROBERT, ROBERT_BOX) == []
        accepted = (await anne.events("accepted"))[-1]
        assert accepted["recipient_kinds"] == {"PER": 1, "ORG": 1}
        told = [it for it in await anne.events("delivered") if it["message"] == sent["id"]]
        assert [it["recipient_kind"] for it in told] == ["PER", "ORG"]
        assert len(await anne.events("replied")) == 1

    async def test_reaches_everybody_where_the_space_says_so(self, anne: Citizen) -> None:
        await anne.rules(reply_to_all="addressees")
        await anne.receive(letter(Cc=ROBERT_BOX))
        await anne.ask("/messages/reply", id=await only(anne), text="?", option="REPLY_TO_ALL")
        assert len(await received(anne.mail, ROBERT, ROBERT_BOX)) == 1

    async def test_leaves_out_whoever_has_ended_the_exchange(self, anne: Citizen) -> None:
        await anne.receive(sender=ORG_BOX)
        await anne.receive(letter(Cc=ORG_BOX))
        await anne.receive(letter(subject="[FIN]"), sender=ORG_BOX)
        open_, *_ = [it for it in await anne.inbox() if it["contact"] == KIT_BOX]
        assert open_["options"] == ["REPLY", "NEW_MESSAGE"]
        ended, *_ = [it for it in await anne.inbox() if it["contact"] == ORG_BOX]
        assert ended["options"] == ["REPLY_BLOCKED"]

    async def test_is_off_where_the_space_says_so(self, anne: Citizen) -> None:
        await anne.receive(sender=ORG_BOX)
        await anne.receive(letter(Cc=ORG_BOX))
        await anne.rules(reply_to_all="off")
        assert (await anne.inbox())[1]["options"] == ["REPLY", "NEW_MESSAGE"]


class TestAbroad:
    """The sender's mailbox is another operator's."""

    FAR = "far.away@voisin.mssante.fr"

    @pytest.fixture
    async def asked(self, anne: Citizen) -> Citizen:
        """It takes nothing for the time being, so that what is sent to it can be seen waiting."""
        answer = await anne.mail.http.put(
            f"/s/{anne.mail.space}/_sandbox/mss/trust/operators/voisin/answer",
            json={"answer": "451 4.3.2 Later, please"},
        )
        assert answer.is_success, answer.text
        await self.arrive(anne, anne.address, letter(Disposition_Notification_To=self.FAR))
        return anne

    async def arrive(self, anne: Citizen, to: str, content: bytes) -> None:
        intake = anne.mail.app.state.intake
        reception = Reception(intake.kernel, intake.settings, intake.patients)
        await reception.receive(anne.mail.space, Envelope(self.FAR, (Recipient(to),)), content)

    async def queued(self, anne: Citizen) -> list[tuple[str, str]]:
        async with anne.database.read() as session:
            rows = await session.execute(
                text("SELECT sender, recipient FROM mss.queued WHERE space = :space ORDER BY id"),
                {"space": anne.mail.space},
            )
            return [(row.sender, row.recipient) for row in rows]

    async def test_receipt_and_reply_wait_for_it(self, asked: Citizen) -> None:
        await asked.ask("/messages/read", id=await only(asked))
        await asked.ask("/messages/reply", id=await only(asked), text="Oui")
        assert await self.queued(asked) == [("", self.FAR), (asked.address, self.FAR)]
        (accepted,) = await asked.events("accepted")
        assert accepted["recipient_kinds"] == {}

    async def test_the_automatic_answer_waits_for_it(self, asked: Citizen) -> None:
        await self.arrive(asked, AUTO_REPLY, letter())
        assert await self.queued(asked) == [("", self.FAR)]

    async def test_purge_empties_the_queue_too(self, asked: Citizen) -> None:
        await asked.ask("/messages/read", id=await only(asked))
        gone = await asked.mail.http.delete(f"/s/{asked.mail.space}/_sandbox/mss/messages")
        assert gone.status_code == 204
        assert await self.queued(asked) == []


class TestStart:
    async def test_is_not_the_patients(self, anne: Citizen) -> None:
        refused = await anne.post("/messages/write", to=ROBERT_BOX, subject="Bonjour", text="?")
        assert refused.status_code == 403
        assert refused.json()["error"] == "CONTACT_NOT_AUTHORISED"

    async def test_is_the_patients_towards_a_pharmacy(self, anne: Citizen) -> None:
        await anne.rules(pharmacies=[ORG_BOX.upper()])
        await anne.ask("/messages/write", to=ORG_BOX, subject="Ordonnance", text="Prête ?")
        (found,) = await received(anne.mail, KIT, ORG_BOX)
        assert found["Subject"] == "Ordonnance"

    async def test_is_not_when_the_space_knows_no_such_exception(self, anne: Citizen) -> None:
        await anne.rules(pharmacies=[ORG_BOX], patient_may_write_to_pharmacies=False)
        answer = await anne.post("/messages/write", to=ORG_BOX, subject="Ordonnance", text="?")
        assert answer.status_code == 403

    async def test_once_made_lets_the_patient_write_anew(self, anne: Citizen) -> None:
        await anne.receive()
        await anne.ask("/messages/write", to=KIT_BOX, subject="Autre chose", text="?")
        (found,) = await received(anne.mail)
        assert found["Subject"] == "Autre chose"
        assert found["In-Reply-To"] is None

    @pytest.mark.parametrize("box", [KIT_BOX, ORG_BOX])
    async def test_is_open_to_each_kind_of_mailbox(self, anne: Citizen, box: str) -> None:
        await anne.receive(sender=box)
        (found,) = await anne.inbox()
        assert (found["contact"], found["reply"]) == (box, "REPLY")


class TestEnd:
    async def test_of_all_is_a_mail_whose_subject_is_fin(self, anne: Citizen) -> None:
        for _ in range(2):
            await anne.receive()
        await anne.receive(letter(subject="[FIN]"))
        first, second, end = await anne.inbox()
        assert [m["reply"] for m in (first, second, end)] == [
            "REPLY_BLOCKED", "REPLY_BLOCKED", "NO_REPLY",
        ]  # fmt: skip
        for found in (first, end):
            answer = await anne.post("/messages/reply", id=found["id"], text="?")
            assert answer.status_code == 403
            assert answer.json()["error"] == found["reply"]
        written = await anne.post("/messages/write", to=KIT_BOX, subject="?", text="?")
        assert written.json()["error"] == "CONTACT_NOT_AUTHORISED"
        (closed,) = await anne.events("closed")
        assert (closed["scope"], closed["patient"]) == ("conversation", anne.pseudonym)

    @pytest.mark.parametrize("subject", ["[fin]", "Re: [FIN]", "[FIN] merci", "FIN"])
    async def test_of_all_is_not_a_subject_that_differs(self, anne: Citizen, subject: str) -> None:
        await anne.receive()
        await anne.receive(letter(subject=subject))
        assert [found["reply"] for found in await anne.inbox()] == ["REPLY", "REPLY"]

    async def test_leaves_other_professionals_their_conversation(self, anne: Citizen) -> None:
        await anne.receive()
        await anne.receive(sender=ORG_BOX)
        await anne.receive(letter(subject="[FIN]"))
        assert [found["reply"] for found in await anne.inbox()] == [
            "REPLY_BLOCKED", "REPLY", "NO_REPLY",
        ]  # fmt: skip

    async def test_reaches_answers_that_went_to_a_reply_to(self, anne: Citizen) -> None:
        await anne.receive(letter(Reply_To=ORG_BOX))
        await anne.receive(letter(subject="[FIN]"))
        assert (await anne.inbox())[0]["reply"] == "REPLY_BLOCKED"
        assert [one["open"] for one in await anne.ask("/contacts")] == [False]

    async def test_is_taken_back_by_a_new_message(self, anne: Citizen) -> None:
        await anne.receive()
        await anne.receive(letter(subject="[FIN]"))
        await anne.receive()
        assert [found["reply"] for found in await anne.inbox()] == [
            "REPLY_BLOCKED", "NO_REPLY", "REPLY",
        ]  # fmt: skip
        await anne.ask("/messages/write", to=KIT_BOX, subject="?", text="?")

    async def test_of_one_message_is_a_header(self, anne: Citizen) -> None:
        await anne.receive()
        await anne.receive(letter(X_MSS_MES="FIN"))
        assert [found["reply"] for found in await anne.inbox()] == ["REPLY", "NO_REPLY"]
        (closed,) = await anne.events("closed")
        assert closed["scope"] == "message"

    async def test_header_alone_opens_nothing(self, anne: Citizen) -> None:
        await anne.receive(letter(X_MSS_MES="FIN"))
        assert await anne.ask("/contacts") == []


class TestReceipt:
    async def test_leaves_when_the_patient_reads_and_once(self, anne: Citizen) -> None:
        await anne.receive(letter(Disposition_Notification_To=KIT_BOX))
        (found,) = await anne.inbox()
        assert found["acknowledge"]
        assert found["read_at"] is None
        for _ in range(2):
            read = await anne.ask("/messages/read", id=found["id"])
        assert read["read_at"] is not None
        (receipt,) = await received(anne.mail)
        assert receipt.get_content_type() == "multipart/report"
        assert receipt["From"] == f"Anne Citoyenne <{anne.address}>"
        _, notification, _ = receipt.iter_parts()
        assert notification.get_content_type() == "message/disposition-notification"
        (fields,) = notification.iter_parts()
        assert fields["Disposition"] == "manual-action/MDN-sent-automatically; displayed"
        assert fields["Original-Message-ID"] == found["message_id"]
        (told,) = await anne.events("read")
        assert (told["reader_kind"], told["patient"]) == ("PATIENT", anne.pseudonym)
        assert told["message"] == found["id"]

    @pytest.mark.parametrize("to", ["", ROBERT_BOX, f"{KIT_BOX}, {ROBERT_BOX}"])
    async def test_does_not_leave_when_nobody_asked_or_another_than_the_sender(
        self, anne: Citizen, to: str
    ) -> None:
        await anne.receive(letter(Disposition_Notification_To=to) if to else letter())
        await anne.ask("/messages/read", id=await only(anne))
        assert await received(anne.mail) == []
        assert await received(anne.mail, ROBERT, ROBERT_BOX) == []
        assert await anne.events("read") == []

    async def test_of_a_professional_is_told_when_it_passes(self, anne: Citizen) -> None:
        """Robert's client acknowledges what Kit wrote to him."""
        sent = letter(ROBERT_BOX)
        message_id = sent.partition(b"Message-ID: ")[2].split(b"\r\n")[0]

        def work() -> None:
            with anne.mail.smtp() as kit:
                kit.sendmail(KIT_BOX, [ROBERT_BOX], sent)
            with anne.mail.smtp(ROBERT, ROBERT_BOX) as robert:
                robert.sendmail("", [KIT_BOX], mdn(message_id, b"processed/Error: 904^INS"))

        await anne.mail.run(work)
        (told,) = await anne.events("read")
        (accepted, _) = await anne.events("accepted")
        assert told == {
            "message": accepted["message"], "reader_kind": "PER", "patient": None,
            "disposition": "processed", "failed": True,
        }  # fmt: skip
        assert len(await received(anne.mail)) == 1


def mdn(message_id: bytes, disposition: bytes) -> bytes:
    return (
        b"From: r@socle.mssante.fr\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report;"
        b' report-type=disposition-notification; boundary="b"\r\n\r\n--b\r\n\r\nLu.\r\n--b\r\n'
        b"Content-Type: message/disposition-notification\r\n\r\nOriginal-Message-ID: "
        + message_id
        + b"\r\nDisposition: automatic-action/MDN-sent-automatically; "
        + disposition
        + b"\r\n\r\n--b--\r\n"
    )


class TestNotification:
    async def test_leaves_for_each_message_without_content(self, anne: Citizen) -> None:
        for _ in range(2):
            await anne.receive()
        notices = await anne.ask("/notifications")
        assert [one["to"] for one in notices] == ["anne@example.org"] * 2
        assert notices[0].keys() == {"id", "to", "sent_at", "kind"}

    async def test_does_not_leave_without_an_ordinary_address(self, anne: Citizen) -> None:
        await anne.ask("/mailbox", email="")
        await anne.receive()
        assert await anne.ask("/notifications") == []


class TestPatientOf:
    async def test_nobody_is_answered_alike_for_every_wrong_address(self, anne: Citizen) -> None:
        for address in (
            "x",
            "1@patient.mssante.fr",
            KIT_BOX,
            "reponse.automatique-test@patient.mssante.fr",
        ):
            answer = await anne.mail.http.post(
                f"/s/{anne.mail.space}/_sandbox/mss/patient/messages", json={"address": address}
            )
            assert answer.status_code == 404
            assert answer.json()["error"] == "patient_unknown"

    async def test_one_does_not_open_the_message_of_another(self, anne: Citizen) -> None:
        await anne.receive()
        leo = Citizen(anne.mail, anne.database, LEO)
        await leo.say()
        answer = await leo.post("/messages/read", id=await only(anne))
        assert answer.status_code == 404

    async def test_all_are_listed_with_their_state(self, anne: Citizen) -> None:
        await anne.ask("/close")
        listed = await anne.mail.http.get(f"/s/{anne.mail.space}/_sandbox/mss/patient-mailboxes")
        assert listed.json() == [
            {
                "address": ANNE.citizen_address, "state": "closed", "name": "Anne Citoyenne",
                "email": "anne@example.org",
            }
        ]  # fmt: skip


async def test_everything_at_once_ends(anne: Citizen) -> None:
    """Deliveries, endings, readings, answers and changes of the mailbox wait for one another in one
    order."""
    await anne.receive(letter(Disposition_Notification_To=KIT_BOX))
    question = await only(anne)
    answers = await asyncio.gather(
        *(anne.post("/mailbox", name=f"Anne {n}") for n in range(4)),
        *(anne.post("/messages/read", id=question) for _ in range(4)),
        *(anne.post("/messages/reply", id=question, text="Oui") for _ in range(4)),
        *(anne.receive() for _ in range(4)),
        *(anne.receive(letter(subject="[FIN]")) for _ in range(2)),
    )
    assert {one.status_code for one in answers if one is not None} <= {200, 201, 403}
    assert len(await anne.inbox()) == 7
    receipts = [one for one in await received(anne.mail) if "Lu :" in str(one["Subject"])]
    assert len(receipts) == 1
