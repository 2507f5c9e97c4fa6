"""From the laboratory to the colleague and the patient, and back: HL7v2, two mails, ZAM."""

import hl7
import pytest

from services.mss.hl7v2 import worker
from socle.db.database import Database
from socle.testing.hl7_orders import BOTH, PATIENT, encoded, order

from .citizen import Citizen
from .conftest import Mail
from .test_hl7 import acknowledgements, exchange, inbox, registered, said

pytestmark = pytest.mark.postgres
TEXTS = [
    f"OBX|12|ED|CORPSMAIL_PS^x^MetaDMPMSS||^TEXT^^Base64^{encoded('Cher confrère')}||||||F",
    f"OBX|13|ED|CORPSMAIL_PATIENT^x^MetaDMPMSS||^TEXT^^Base64^{encoded('Bonjour Madame')}||||||F",
]


async def test_a_report_reaches_both_and_each_reading_comes_back(
    mail: Mail, database: Database
) -> None:
    citizen = Citizen(mail, database, PATIENT)
    await citizen.say()
    application = await registered(mail)
    flags = {**BOTH, "ACK_RECEPTION": "Y", "ACK_LECTURE_MSS": "Y"}
    answer = await exchange(mail, order(application=application, flags=flags, more=["FIN", *TEXTS]))
    assert said(answer) == "AA", str(answer)
    (theirs,) = await inbox(mail)
    (mine,) = await citizen.inbox()
    assert theirs["subject"] == mine["subject"]
    assert theirs["message_id"] != mine["message_id"]
    await citizen.ask("/messages/read", id=mine["id"])
    kernel = mail.app.state.kernel
    while await worker.note_next(kernel):
        pass
    told = [hl7.parse(it["content"]) for it in await acknowledgements(mail)]
    events = [(str(it.segment("MSH")[9])[4:7], str(it.segments("OBX")[1][5])[8:]) for it in told]
    assert sorted(events) == sorted(
        [
            ("Z02", "robert.specialiste0021889@socle.mssante.fr"),
            ("Z02", PATIENT.citizen_address),
            ("Z03", PATIENT.citizen_address),
        ]
    )
    assert all(str(it.segments("OBX")[0][5]).startswith("Y") for it in told)


async def test_a_patient_whose_ins_is_not_qualified_is_told_of_by_zam(
    mail: Mail, database: Database
) -> None:
    citizen = Citizen(mail, database, PATIENT)
    await citizen.say(qualified=False)
    application = await registered(mail)
    answer = await exchange(
        mail, order(application=application, flags={**BOTH, "ACK_RECEPTION": "Y"})
    )
    assert said(answer) == "AA", str(answer)
    told = [hl7.parse(it["content"]) for it in await acknowledgements(mail)]
    failed = [it for it in told if str(it.segments("OBX")[0][5]).startswith("N")]
    (one,) = failed
    assert str(one.segments("OBX")[1][5]) == f"^^X.400^{PATIENT.citizen_address}"
    assert str(one.segment("ERR")[5]).endswith("^SMTPERRORCODE")
