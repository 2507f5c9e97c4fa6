"""HL7v2 by a CREATEUR that we did not write: HAPI sends ORU and MDM, and listens for ZAM."""

import json
import subprocess
from typing import Any

import httpx
import pytest

from socle.demo.document import laboratory_report
from socle.demo.identity import Patient, make_known
from socle.testing.hl7_orders import COLLEAGUE, PATIENT, PS, order
from socle.testing.stack import free_ports
from tests.e2e.support import eventually

from .conftest import GENERALIST, Vendor

pytestmark = [pytest.mark.stack, pytest.mark.postgres, pytest.mark.java]
BOX = "pfi.test@socle.mssante.fr"
EVERYWHERE = dict.fromkeys(
    ("DESTDMP", "DESTMSSANTEPS", "DESTMSSANTEPAT", "ACK_RECEPTION", "ACK_LECTURE_MSS"), "Y"
)


def test_hapi_sends_both_kinds_and_takes_every_acknowledgement(
    java: list[str], vendor: Vendor
) -> None:
    application, [listen] = f"SIL-{vendor.space}", free_ports(1)
    control = f"/s/{vendor.space}/_sandbox/mss"
    messages = [
        order(application=application, flags=EVERYWHERE, control_id="oru-1"),
        order(
            application=application, kind="MDM", control_id="mdm-1", recipients=[COLLEAGUE],
            flags={**PS, "DESTDMP": "Y", "ACK_RECEPTION": "Y"},
            documents=[laboratory_report(document_id="2.25.77")],
        ),
        order(application=application, control_id="wrong-1").replace("|P|2.5|", "|X|2.5|"),
    ]  # fmt: skip
    setting = {
        "port": vendor.stack.ports["mss_mllp"], "listen": listen, "messages": messages, "wanted": 6,
    }  # fmt: skip
    with httpx.Client(base_url=vendor.stack.url, timeout=60) as http:
        make_known(http, f"/s/{vendor.space}", Patient())
        mailbox = {"address": BOX, "kind": "APP", "label": "PFI", "owners": [GENERALIST]}
        http.post(f"{control}/mailboxes", json=mailbox).raise_for_status()
        sender = {
            "application": application, "facility": "labo", "mailbox": BOX,
            "endpoint": f"127.0.0.1:{listen}",
        }  # fmt: skip
        http.put(f"{control}/hl7/senders", json=sender).raise_for_status()
        with subprocess.Popen(
            [*java, "fr.socle.clients.Hl7v2Client"],
            env=vendor.setting(**setting),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            eventually(lambda: process.poll() is not None or read_by_patient(http, control), 90)
            told, complaint = process.communicate(timeout=90)
    assert process.returncode == 0, complaint[-4000:]
    found = dict(json.loads(told))
    assert [(it["structure"], it["event"], it["code"], it["of"]) for it in found["answers"]] == [
        ("ORU_R01", "R01", "AA", "oru-1"),
        ("MDM_T02", "T02", "AA", "mdm-1"),
        ("ORU_R01", "R01", "AE", "wrong-1"),
    ]
    assert {it["document"] for it in found["answers"]} == {"11502-2"}
    assert [it["answer"].rpartition(".")[2] for it in found["answers"]] == ["ACK"] * 3
    assert sorted((it["event"], it["said"], it["of"]) for it in found["zams"]) == [
        ("Z01", "Y", "mdm-1"), ("Z01", "Y", "oru-1"), ("Z02", "Y", "mdm-1"), ("Z02", "Y", "oru-1"),
        ("Z02", "Y", "oru-1"), ("Z03", "Y", "oru-1"),
    ]  # fmt: skip
    assert {(it["version"], it["profile"]) for it in found["zams"]} == {("2.6", "CISIS_CDA_HL7_V2")}


def read_by_patient(http: httpx.Client, control: str) -> bool:
    """The patient reads what has come, which makes a receipt."""
    patient: dict[str, Any] = {"address": PATIENT.citizen_address}
    found = http.post(f"{control}/patient/messages", json=patient).json()["messages"]
    for one in found:
        http.post(f"{control}/patient/messages/read", json={**patient, "id": one["id"]})
    return bool(found)
