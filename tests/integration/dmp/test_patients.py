"""TD0.2 to TD0.5, TD1.1 to TD1.4 and TD1.6: records, and who may read them."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree

from services.dmp.patients.names import GDP, HL7, PATIENTS, RIGHTS
from socle.testing.tokens import TokenMint

from .conftest import Dmp, Start
from .hl7v3 import QUERY_ID, Told, call, candidates, existence, own, revision, security
from .samples import ANNE, LEO, document

ADD, REVISE = "PRPA_IN201311UV02", "PRPA_IN201314UV02"
CONSENT = {"CONSENTEMENT_OUVERTURE_DMP": True}
RESPONSE_CODE = "//h:queryAck/h:queryResponseCode/@code"
STATUS = "//h:patient/h:statusCode/@code"


async def ask(dmp: Dmp, body: etree._Element) -> Told:
    return await call(dmp, "patients", body)


async def rights(dmp: Dmp, body: etree._Element, **vihf: Any) -> Told:
    return await call(dmp, "habilitations", body, security(**vihf))


async def authorize(dmp: Dmp, action: str = "AJOUT", role: str = "", **vihf: Any) -> Told:
    values = {"action": action, **({"role": role} if role else {})}
    return await rights(dmp, own(RIGHTS, "setAuthorization", **values), **vihf)


async def set_record(dmp: Dmp, **values: Any) -> Any:
    body = {"oid": ANNE.oid, "matricule": ANNE.with_key, **values}
    response = await dmp.http.post(f"/s/{dmp.space}/_sandbox/dmp/records", json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def managed(dmp: Dmp) -> Dmp:
    """A record that professionals manage."""
    await set_record(
        dmp, attached=False, person={"family_name": "EXEMPLE", "given_name": "CAMILLE"}
    )
    return dmp


class TestExistence:
    """TD0.2."""

    async def test_every_qualified_patient_has_an_open_record(self, dmp: Dmp) -> None:
        told = await ask(dmp, existence())
        assert told.response.status_code == 200, told.response.text
        assert told.body == f"{{{HL7}}}PRPA_IN201308UV02"
        assert told.text("//wsa:Action") == f"{HL7}:PRPA_IN201308UV02"
        assert told.text(RESPONSE_CODE) == "OK"
        assert told.text("//h:queryAck/h:queryId/@extension") == QUERY_ID
        assert told.text("//h:acknowledgement/@typeCode") == "AA"
        assert told.text("//h:acknowledgement/h:targetMessage/h:id/@extension") == "m1"
        assert told.text("//h:receiver/h:device/h:softwareName") == "LPS"
        assert told.text(STATUS) == "active"
        assert told.text("//h:patient/h:id/@extension") == ANNE.with_key
        assert told.text("//h:patient/h:id/@root") == ANNE.oid
        observed = "//h:administrativeObservation[h:code/@code='{}']/h:value/@value"
        assert told.text(observed.format("RATTACHEMENT_ENS")) == "true"
        assert told.text(observed.format("COMPTE_INTERNET_OUVERT")) == "true"

    async def test_names_the_patient_as_the_newest_document_does(self, dmp: Dmp) -> None:
        await dmp.deposit(document())
        told = await ask(dmp, existence())
        assert told.text("//h:patientPerson/h:name/h:family[@qualifier='BR']") == "EXEMPLE"
        assert told.text("//h:patientPerson/h:name/h:given") == "CAMILLE"
        assert told.text("//h:patientPerson/h:birthTime/@value") == "19790328"

    async def test_of_nobody_whom_ins_knows_is_nf(self, start: Start, ins_url: str) -> None:
        dmp = await start(ins_url=ins_url)
        told = await ask(dmp, existence(LEO))
        assert (told.text(RESPONSE_CODE), told.texts("//h:patient")) == ("NF", [])

    async def test_of_a_patient_without_record_is_nf(self, dmp: Dmp) -> None:
        await set_record(dmp, status="absent")
        assert (await ask(dmp, existence())).text(RESPONSE_CODE) == "NF"

    async def test_of_a_closed_record_is_terminated(self, dmp: Dmp) -> None:
        await set_record(dmp, status="terminated")
        told = await ask(dmp, existence())
        assert (told.text(RESPONSE_CODE), told.text(STATUS)) == ("OK", "terminated")

    async def test_is_nf_where_records_are_opened_one_by_one(self, start: Start) -> None:
        dmp = await start(dmp_records="explicit")
        await dmp.say()
        assert (await ask(dmp, existence())).text(RESPONSE_CODE) == "NF"
        await set_record(dmp)
        assert (await ask(dmp, existence())).text(RESPONSE_CODE) == "OK"

    async def test_tells_the_authorization_of_the_caller(self, dmp: Dmp, colleague: Dmp) -> None:
        line = "//h:attentionLine[h:keyWordText/@code='{}']/h:value/@{}"
        none = await ask(dmp, existence())
        assert none.texts("//h:keyWordText/@code") == ["STATUT_MT"]
        await authorize(dmp, role="MEDECIN_TRAITANT")
        told = await ask(dmp, existence())
        assert told.text(line.format("AUTORISATION", "code")) == "VALIDE"
        assert told.text(line.format("STATUT_MT", "value")) == "true"
        assert (await ask(colleague, existence())).texts("//h:keyWordText/@code") == ["STATUT_MT"]

    async def test_tells_whom_the_patient_blocked(self, dmp: Dmp) -> None:
        await set_record(dmp, rights=[{"professional": "899700427885", "mode": "INTERDITE"}])
        told = await ask(dmp, existence())
        assert told.text("//h:attentionLine[1]/h:value/@code") == "INTERDIT"
        blocked = await authorize(dmp)
        assert blocked.text("//r:status") == "SocleBlockedByPatient"

    async def test_refuses_a_patient_without_ins(self, dmp: Dmp) -> None:
        body = existence()
        value = body.find(".//{*}value")
        assert value is not None
        value.set("extension", "123")
        told = await ask(dmp, body)
        assert told.fault == "soap:SocleINS"
        for parent in body.iter("{*}parameterList"):
            parent.clear()
        assert (await ask(dmp, body)).fault == "soap:SocleINS"

    async def test_needs_a_caller(self, dmp: Dmp) -> None:
        told = await ask(replace(dmp, headers={}), existence())
        assert told.fault == "soap:SocleAuthentication"


class TestAdministrativeData:
    """TD1.3a and TD1.3b."""

    async def test_are_consulted_and_modified(self, dmp: Dmp) -> None:
        await managed(dmp)
        extra = (
            '<telecom value="tel:0102030405" use="MC"/><telecom value="mailto:camille@exemple.fr"/>'
            "<addr><streetAddressLine>1 rue du Chat</streetAddressLine><postalCode>75005</postalCode>"
            "<city>Paris</city></addr>"
        )
        changed = await ask(
            dmp,
            revision(
                REVISE, "MODIF_DATA", extra=extra, observed={"OPPOSITION_BRIS_DE_GLACE": True}
            ),
        )
        assert changed.body == f"{{{GDP}}}PRPA_IN201314UV02_Response"
        assert changed.texts("//h:PRPA_IN201315UV02/h:acknowledgement/@typeCode") == ["AA"]
        assert changed.text("//wsa:Action") == f"{HL7}:PRPA_IN201314ResponseUV02"
        told = await ask(dmp, existence(reason="CNSLT_DATA"))
        assert told.text("//h:reasonCode/@code") == "CNSLT_DATA"
        assert told.text("//h:patientPerson/h:addr/h:city") == "Paris"
        assert told.texts("//h:telecom/@value") == ["mailto:camille@exemple.fr", "tel:0102030405"]
        observed = "//h:administrativeObservation[h:code/@code='{}']/h:value/@value"
        assert told.text(observed.format("OPPOSITION_BRIS_DE_GLACE")) == "true"
        assert told.text(observed.format("OPPOSITION_ACCES_URGENCE")) == "false"
        assert told.texts("//h:attentionLine") == []
        # What a later change leaves out stays.
        await ask(dmp, revision(REVISE, "MODIF_DATA"))
        again = await ask(dmp, existence(reason="CNSLT_DATA"))
        assert again.text("//h:patientPerson/h:addr/h:city") == "Paris"

    async def test_of_mon_espace_sante_are_its_patients(self, dmp: Dmp) -> None:
        told = await ask(dmp, revision(REVISE, "MODIF_DATA"))
        assert told.texts("//h:PRPA_IN201316UV02/h:acknowledgement/@typeCode") == ["AE"]
        assert told.refusal == "SocleDMPAttached"

    async def test_of_nobody_are_refused(self, dmp: Dmp) -> None:
        assert (
            await ask(dmp, revision(REVISE, "MODIF_DATA", ins=LEO))
        ).refusal == "SocleDMPNotFound"


class TestLife:
    """TD1.1, TD1.2 and TD1.4."""

    async def test_a_record_is_created_closed_and_reactivated(self, start: Start) -> None:
        dmp = await start(dmp_records="explicit")
        await dmp.say()
        created = await ask(dmp, revision(ADD, "CREA_RD", observed=CONSENT))
        assert created.texts("//h:PRPA_IN201312UV02/h:acknowledgement/@typeCode") == ["AA"]
        assert (await ask(dmp, revision(ADD, "CREA_RD", observed=CONSENT))).refusal == "DMPFound"
        shown = await ask(dmp, existence())
        assert shown.text("//h:patientPerson/h:name/h:family") == "EXEMPLE"

        close = revision(REVISE, "FERM", status="terminated", closing="FERMETURE_DEMANDE_PATIENT")
        closed = await ask(dmp, close)
        assert closed.text(STATUS) == "terminated"
        assert (await ask(dmp, close)).refusal == "DMPClosed"
        assert (await ask(dmp, existence())).text(STATUS) == "terminated"
        assert (await ask(dmp, revision(ADD, "CREA_RD", observed=CONSENT))).refusal == "DMPClosed"

        wanted = {"CONSENTEMENT_REACTIVATION_DMP": True}
        opened = await ask(dmp, revision(REVISE, "REAC", observed=wanted))
        assert opened.text(STATUS) == "active"
        assert (await ask(dmp, revision(REVISE, "REAC", observed=wanted))).refusal == "DMPFound"

    async def test_a_creation_needs_the_patients_consent_and_a_qualified_ins(
        self, start: Start, ins_url: str
    ) -> None:
        dmp = await start(dmp_records="explicit", ins_url=ins_url)
        assert (await ask(dmp, revision(ADD, "CREA_RD"))).refusal == "SocleNoConsent"
        told = await ask(dmp, revision(ADD, "CREA_RD", observed=CONSENT))
        assert told.texts("//h:PRPA_IN201313UV02/h:acknowledgement/@typeCode") == ["AE"]
        assert told.refusal == "SocleINSNotQualified"

    async def test_of_two_creations_at_once_one_is_told_that_it_exists(self, start: Start) -> None:
        dmp = await start(dmp_records="explicit")
        await dmp.say()
        body = revision(ADD, "CREA_RD", observed=CONSENT)
        told = await asyncio.gather(*(ask(dmp, body) for _ in range(4)))
        assert sorted(one.refusal for one in told) == ["", "DMPFound", "DMPFound", "DMPFound"]


class TestAuthorizations:
    """TD0.3 and TD1.6."""

    async def test_are_given_listed_and_withdrawn(self, dmp: Dmp) -> None:
        given = await authorize(dmp)
        assert given.text("//wsa:Action").endswith(
            ":HabilitationsEndPoint:setAuthorizationResponse"
        )
        assert (given.text("//r:status"), given.text("//r:context")) == (
            "DMPOk",
            "Autorisation ajoutée",
        )
        again = await authorize(dmp)
        assert again.text("//r:status") == "DMPOk"
        assert "déjà présente" in again.text("//r:context")
        listed = await rights(dmp, own(RIGHTS, "listAuthorizationByPatient", mode="TOUTE"))
        names = [
            etree.QName(one).localname
            for one in listed.root.iterfind(".//{*}listOfAuthorizationByPatient/*")
        ]
        assert names == [
            "nationalId", "nationalIdType", "firstName", "lastName", "codeSpeciality",
            "startOfAuthorization", "lastActionDate", "mode",
        ]  # fmt: skip
        assert listed.text("//r:nationalId") == "899700427885"
        assert (listed.text("//r:firstName"), listed.text("//r:lastName")) == ("KIT", "DOC0042788")
        assert listed.text("//r:codeSpeciality") == "G15_10/SM26"
        gone = await authorize(dmp, "SUPPRESSION")
        assert gone.text("//r:context") == "Autorisation supprimée"
        assert "absente" in (await authorize(dmp, "SUPPRESSION")).text("//r:context")
        empty = await rights(dmp, own(RIGHTS, "listAuthorizationByPatient"))
        assert (empty.texts("//r:nationalId"), empty.text("//r:status")) == ([], "DMPOk")

    async def test_of_the_treating_doctor_come_and_go_with_the_role(self, dmp: Dmp) -> None:
        await authorize(dmp)
        await authorize(dmp, role="MEDECIN_TRAITANT")
        right = "//r:specificRight"
        listed = own(RIGHTS, "listAuthorizationByPatient", mode="ACTIVE")
        assert (await rights(dmp, listed)).text(right) == "MEDECIN_TRAITANT"
        await authorize(dmp, "SUPPRESSION", role="MEDECIN_TRAITANT")
        told = await rights(dmp, listed)
        assert (told.text(right), told.text("//r:mode")) == ("", "ACTIVE")

    async def test_show_who_is_blocked_apart(self, dmp: Dmp) -> None:
        await set_record(
            dmp, rights=[{"professional": "1", "mode": "INTERDITE"}, {"professional": "2"}]
        )
        for mode, expected in (("INTERDITE", ["1"]), ("ACTIVE", ["2"]), ("TOUTE", ["1", "2"])):
            told = await rights(dmp, own(RIGHTS, "listAuthorizationByPatient", mode=mode))
            assert told.texts("//r:nationalId/text()") == expected

    async def test_need_a_patient_with_an_open_record(self, start: Start, ins_url: str) -> None:
        dmp = await start(ins_url=ins_url)
        assert (await authorize(dmp, ins=LEO)).text("//r:status") == "SocleDMPNotFound"
        told = await rights(dmp, own(RIGHTS, "listAuthorizationByPatient"), ins=LEO)
        assert told.fault == "soap:SocleDMPNotFound"
        await set_record(dmp, status="terminated")
        assert (await authorize(dmp)).text("//r:status") == "DMPClosed"

    async def test_need_a_vihf_that_names_the_patient(self, dmp: Dmp) -> None:
        told = await call(dmp, "habilitations", own(RIGHTS, "setAuthorization", action="AJOUT"))
        assert told.fault == "soap:SocleVihf"

    @pytest.mark.parametrize(
        "values", [{}, {"action": "ajout"}, {"action": "AJOUT", "role": "PHARMACIEN"}]
    )
    async def test_refuse_what_the_wsdl_does_not_know(
        self, dmp: Dmp, values: dict[str, str]
    ) -> None:
        told = await rights(dmp, own(RIGHTS, "setAuthorization", **values))
        assert told.fault == "soap:SocleMessage"

    async def test_are_the_callers_own(self, dmp: Dmp, colleague: Dmp) -> None:
        await authorize(dmp)
        assert "ajoutée" in (await authorize(colleague)).text("//r:context")


class TestPatientList:
    """TD0.4."""

    async def test_gives_the_records_that_the_caller_may_read(
        self, dmp: Dmp, colleague: Dmp
    ) -> None:
        await dmp.deposit(document())
        await authorize(dmp, role="MEDECIN_TRAITANT")
        told = await ask(
            dmp, own(PATIENTS, "patientList", startDate="20101010202010", dateType="LASTDOC")
        )
        assert (
            told.text("//wsa:Action") == f"{PATIENTS}:PatientSpecificEndPoint:patientListResponse"
        )
        assert told.texts("//p:nationalId/text()") == [ANNE.with_key]
        assert told.text("//p:lastName") == "EXEMPLE"
        assert told.text("//p:MT") == "true"
        assert told.text("//p:lastAddDate")
        assert told.text("//p:status") == "DMPOk"
        empty = await ask(colleague, own(PATIENTS, "patientList"))
        assert (empty.texts("//p:nationalId"), empty.text("//p:status")) == ([], "DMPOk")
        future = own(PATIENTS, "patientList", startDate="29990101000000")
        assert (await ask(dmp, future)).texts("//p:nationalId") == []

    async def test_leaves_out_closed_records_and_blocked_ones(self, dmp: Dmp) -> None:
        right = {"professional": "899700427885"}
        await set_record(dmp, status="terminated", rights=[right])
        assert (await ask(dmp, own(PATIENTS, "patientList"))).texts("//p:nationalId") == []
        await set_record(dmp, rights=[{**right, "mode": "INTERDITE"}])
        assert (await ask(dmp, own(PATIENTS, "patientList"))).texts("//p:nationalId") == []

    async def test_refuses_a_date_that_is_none(self, dmp: Dmp) -> None:
        told = await ask(dmp, own(PATIENTS, "patientList", startDate="hier"))
        assert told.fault == "soap:SocleMessage"


class TestCandidates:
    """TD0.5."""

    async def test_are_found_by_name_for_the_regulation_only(self, dmp: Dmp) -> None:
        await managed(dmp)
        refused = await call(dmp, "patients", candidates("EXEMPLE"), security())
        assert refused.fault == "soap:SocleRights"
        regulation = security(purpose="centre_15")
        told = await call(dmp, "patients", candidates("exemple"), regulation)
        assert told.text("//wsa:Action") == f"{HL7}:PRPA_IN201306UV02"
        assert told.texts("//h:patient/h:id/@extension") == [ANNE.with_key]
        assert told.text("//h:queryAck/h:resultTotalQuantity/@value") == "1"
        assert told.text("//h:queryMatchObservation/h:value/@value") == "100"
        assert (
            told.text("//h:controlActProcess/h:queryByParameter/h:queryId/@extension") == QUERY_ID
        )
        none = await call(dmp, "patients", candidates("PERSONNE"), security(purpose="centre_15"))
        assert none.text(RESPONSE_CODE) == "NF"

    async def test_need_a_name(self, dmp: Dmp) -> None:
        told = await call(dmp, "patients", candidates(""), security(purpose="centre_15"))
        assert told.fault == "soap:SocleQuery"


class TestServices:
    async def test_refuse_each_others_messages(self, dmp: Dmp) -> None:
        assert (await call(dmp, "habilitations", existence())).fault == "wsa:ActionNotSupported"
        told = await call(dmp, "patients", own(RIGHTS, "setAuthorization", action="AJOUT"))
        assert told.fault == "wsa:ActionNotSupported"

    async def test_look_at_the_message_and_not_at_its_action(self, dmp: Dmp) -> None:
        told = await call(dmp, "patients", existence(), action=f"{HL7}:PRPA_IN201308UV02")
        assert told.text(RESPONSE_CODE) == "OK"

    async def test_keep_spaces_apart(self, dmp: Dmp, neighbour: Dmp, mint: TokenMint) -> None:
        await authorize(dmp)
        listed = own(RIGHTS, "listAuthorizationByPatient")
        assert (await rights(neighbour, listed)).texts("//r:nationalId") == []


class TestControlPlane:
    async def test_shows_what_every_patient_has(self, dmp: Dmp) -> None:
        url = f"/s/{dmp.space}/_sandbox/dmp/records"
        body = {"oid": ANNE.oid, "matricule": ANNE.with_key}
        read = (await dmp.http.post(f"{url}/read", json=body)).json()
        assert (read["status"], read["attached"], read["rights"]) == ("active", True, [])
        assert (await dmp.http.get(url)).json() == []
        await set_record(dmp, opposes_emergency=True)
        [listed] = (await dmp.http.get(url)).json()
        assert listed["opposes_emergency"]

    @pytest.mark.parametrize(
        "body",
        [{}, {"oid": "1.2", "matricule": "1"}, {"oid": ANNE.oid, "matricule": ANNE.with_key, "status": "x"},
         {"oid": ANNE.oid, "matricule": ANNE.with_key, "person": {"family_name": "A\x01"}}],
    )  # fmt: skip
    async def test_refuses_what_is_no_record(self, dmp: Dmp, body: Any) -> None:
        response = await dmp.http.post(f"/s/{dmp.space}/_sandbox/dmp/records", json=body)
        assert response.status_code == 400
