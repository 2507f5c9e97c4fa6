"""A mail with a document, from one professional to a colleague and to a patient, through the gateway."""

import base64
import json

import pytest

from socle.demo.document import laboratory_report
from socle.demo.identity import Patient
from socle.testing.stack import Stack
from tests.e2e.support import eventually
from tests.e2e.vendor import Vendor

pytestmark = [pytest.mark.stack, pytest.mark.postgres]
KIT, ROBERT = "kit.doc0042788@socle.mssante.fr", "robert.specialiste0021889@socle.mssante.fr"


class TestMail:
    def test_to_colleague_and_patient_is_read_answered_and_ended(
        self, stack: Stack, space: str
    ) -> None:
        patient = {"address": Patient().ins.citizen_address}
        with Vendor(stack.url, space) as vendor:
            vendor.prepare()
            report = base64.b64encode(laboratory_report()).decode()
            sent = vendor.ask(
                "POST",
                "/mss/messages",
                {
                    "from": KIT,
                    "to": [ROBERT, patient["address"]],
                    "subject": "Votre compte rendu",
                    "text": "Bonjour",
                    "headers": {"X-MSS-CODECDA": "11502-2", "Disposition-Notification-To": KIT},
                    "attachments": [{"filename": "cda.xml", "mime": "text/xml", "data": report}],
                },
            )
            assert {one["status"] for one in sent["recipients"]} == {"delivered"}
            (found,) = self._of_patient(vendor, "messages", patient)["messages"]
            self._of_patient(vendor, "messages/read", patient, id=found["id"])
            self._of_patient(vendor, "messages/reply", patient, id=found["id"], text="Merci")
            vendor.ask(
                "POST",
                "/mss/messages",
                {"from": KIT, "to": [patient["address"]], "subject": "[FIN]", "text": "Fin"},
            )
            inbox = self._of_patient(vendor, "messages", patient)["messages"]
            assert [one["reply"] for one in inbox] == ["REPLY_BLOCKED", "NO_REPLY"]
            listed = vendor.ask("GET", f"/mss/mailboxes/{KIT}/messages")["messages"]
            assert [one["subject"] for one in listed] == [
                "Lu : Votre compte rendu", "Re: Votre compte rendu",
            ]  # fmt: skip

        expected = ["accepted", "delivered", "delivered", "read", "accepted", "delivered"]
        expected += ["replied", "accepted", "delivered", "closed"]
        assert eventually(lambda: sorted(self._told(stack, space)) == sorted(expected))

    def _of_patient(
        self, vendor: Vendor, path: str, patient: dict[str, str], **body: object
    ) -> dict[str, list[dict[str, str]]]:
        found: dict[str, list[dict[str, str]]] = vendor.ask(
            "POST", f"/_sandbox/mss/patient/{path}", {**patient, **body}
        )
        return found

    def _told(self, stack: Stack, space: str) -> list[str]:
        tail = stack.run("events", "tail", "socle.mss.messages", "--limit", "10000")
        events = [json.loads(line) for line in tail.stdout.splitlines()]
        return [one["type"].split(".")[2] for one in events if one["space"] == space]
