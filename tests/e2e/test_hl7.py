"""One ORU^R01 through the whole stack: the DMP, the colleague, the patient, and every acknowledgement."""

import hl7
import httpx
import pytest
from hl7.client import MLLPClient

from socle.demo.identity import Patient, make_known
from socle.demo.login import log_in
from socle.testing.hl7_orders import CDA, COLLEAGUE, PATIENT, order
from socle.testing.stack import Stack
from tests.e2e.support import eventually

pytestmark = [pytest.mark.stack, pytest.mark.postgres]
BOX = "pfi.test@socle.mssante.fr"
KIT, ROBERT = "899700427885", "899700218896"
EVERYWHERE = dict.fromkeys(
    ("DESTDMP", "DESTMSSANTEPS", "DESTMSSANTEPAT", "ACK_RECEPTION", "ACK_LECTURE_MSS"), "Y"
)


def test_a_report_goes_to_the_dmp_and_by_mail_and_is_acknowledged(stack: Stack, space: str) -> None:
    prefix = f"/s/{space}"
    control = f"{prefix}/_sandbox/mss"
    with httpx.Client(base_url=stack.url, timeout=60) as http:
        make_known(http, prefix, Patient())
        mailbox = {"address": BOX, "kind": "APP", "label": "PFI", "owners": [KIT]}
        http.post(f"{control}/mailboxes", json=mailbox).raise_for_status()
        sender = {"application": "SIL-E2E", "facility": "labo", "mailbox": BOX}
        http.put(f"{control}/hl7/senders", json=sender).raise_for_status()

        with MLLPClient("127.0.0.1", stack.ports["mss_mllp"]) as client:
            message = order(application="SIL-E2E", flags=EVERYWHERE, control_id="e2e-1")
            answer = hl7.parse(client.send_message(message.encode())[1:-2].decode())
        assert str(answer.segment("MSA")) == "MSA|AA|e2e-1"

        def told() -> list[tuple[str, str]]:
            listed = http.get(f"{control}/hl7/acknowledgements").json()["acknowledgements"]
            found = [hl7.parse(it["content"]) for it in listed]
            return sorted(
                (str(it.segment("MSH")[9])[4:7], str(it.segment("OBX")[5])[0]) for it in found
            )

        received = [("Z01", "Y"), ("Z02", "Y"), ("Z02", "Y")]
        assert eventually(lambda: told() == received), told()

        kit = log_in(http, prefix, KIT).headers
        params = {
            "patient.identifier": f"urn:oid:{PATIENT.oid}|{PATIENT.with_key}", "status": "current"
        }  # fmt: skip
        found = http.get(f"{prefix}/dmp/fhir/DocumentReference", params=params, headers=kit).json()
        (document,) = [it["resource"] for it in found["entry"]]
        url = document["content"][0]["attachment"]["url"]
        binary = http.get(url if "://" in url else f"{prefix}/dmp/fhir/{url}", headers=kit)
        assert binary.content == CDA

        robert = log_in(http, prefix, ROBERT).headers
        theirs = http.get(f"{prefix}/mss/mailboxes/{COLLEAGUE}/messages", headers=robert).json()
        assert len(theirs["messages"]) == 1
        patient = {"address": PATIENT.citizen_address}
        mine = http.post(f"{control}/patient/messages", json=patient).json()["messages"]
        assert len(mine) == 1
        http.post(f"{control}/patient/messages/read", json={**patient, "id": mine[0]["id"]})
        assert eventually(lambda: told() == [*received, ("Z03", "Y")]), told()
