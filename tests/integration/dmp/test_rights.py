"""Who reads a record: authorization, blocking, emergencies, closing; who unmasks; what is fed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.dmp.patients.names import RIGHTS
from socle.testing.tokens import TokenMint

from .conftest import Dmp, Start, ids_of, rules
from .hl7v3 import call, own, security
from .samples import ANNE, document
from .test_patch import MASKED, NORMAL, patch, replaces
from .test_patients import authorize, set_record
from .xds import (
    APPROVED,
    FIND_DOCUMENTS,
    GET_DOCUMENTS,
    Lot,
    envelope,
    patient_slot,
    post,
    query,
    retrieval,
    status_of,
    update,
)

REPLACES = "urn:ihe:iti:2007:AssociationType:RPLC"
AUTHOR, OTHER = "899700427885", "899700000017"


async def by_soap(dmp: Dmp, purpose: str = "normal") -> Any:
    """FindDocuments under a purpose of use."""
    message = query(FIND_DOCUMENTS, patient_slot(), *APPROVED)
    body = message[message.index(b"<s:Body>") :]
    head = envelope("urn:x", security(), security(purpose=purpose))
    head = head.replace(b"urn:x<", b"urn:ihe:iti:2007:RegistryStoredQuery<")
    whole = head[: head.index(b"<s:Body>")] + body
    return await post(dmp.http, "registry", whole, dmp.headers)


async def mask(dmp: Dmp) -> str:
    entry = await dmp.deposit(document())
    assert (await patch(dmp, entry, replaces("/securityLabel/0", MASKED))).status_code == 200
    return entry


class TestAuthorization:
    async def test_is_told_where_it_is_missing(self, dmp: Dmp, colleague: Dmp) -> None:
        await dmp.deposit(document())
        response = await colleague.find()
        assert response.headers["x-socle-warning"] == "DMP-ACCESS-AUTHORIZATION"
        assert len(ids_of(response.json())) == 1
        journal = await dmp.http.get(f"/s/{dmp.space}/_sandbox/journal")
        assert journal.json()[0]["problems"][0]["rule"] == "DMP-ACCESS-AUTHORIZATION"
        await authorize(colleague)
        assert "x-socle-warning" not in (await colleague.find()).headers

    async def test_is_required_where_it_is_enforced(self, start: Start, mint: TokenMint) -> None:
        dmp = await start(dmp_authorizations="enforce")
        await dmp.say()
        entry = await dmp.deposit(document())  # feeding needs none
        assert (await dmp.get(f"/Binary/{entry}")).status_code == 404
        refused = await dmp.find()
        assert refused.status_code == 403
        assert rules(refused) == {"DMP-ACCESS-AUTHORIZATION": "patient"}
        answer = await by_soap(dmp)
        assert (answer.fault, answer.rules) == (
            "soap:SocleAccessDenied",
            {"DMP-ACCESS-AUTHORIZATION"},
        )
        await authorize(dmp)
        assert ids_of((await dmp.find()).json()) == [entry]
        assert (await by_soap(dmp)).status == "Success"
        assert (await dmp.get(f"/Binary/{entry}")).status_code == 200

    async def test_is_not_needed_to_find_and_change_ones_own_documents(
        self, start: Start, mint: TokenMint
    ) -> None:
        """TD2.1b, TD3.3a, c and d begin with TD3.1b, and feeding needs no authorization (§1.3, §1.9)."""
        dmp = await start(dmp_authorizations="enforce")
        await dmp.say()
        other = replace(dmp, headers=mint.headers(dmp.space, OTHER))
        given = document()
        entry = await dmp.deposit(given)
        named = query(GET_DOCUMENTS, ("$XDSDocumentEntryUniqueId", f"'{given.unique_id}'"))
        assert (await post(dmp.http, "registry", named, other.headers)).ids("ExtrinsicObject") == []
        assert (await other.get(f"/DocumentReference/{entry}")).status_code == 404
        assert (await dmp.get(f"/DocumentReference/{entry}")).status_code == 200
        [old] = (await post(dmp.http, "registry", named, dmp.headers)).ids("ExtrinsicObject")
        read = await post(dmp.http, "repository", retrieval(given.unique_id), dmp.headers)
        assert (read.status, read.parts) == ("Failure", {})
        lot = Lot([document(seed=1)], relations=[(REPLACES, old)])
        replaced = await post(dmp.http, "repository", lot.message(), dmp.headers)
        assert replaced.status == "Success"
        again = query(
            GET_DOCUMENTS, ("$XDSDocumentEntryUniqueId", f"'{lot.documents[0].unique_id}'")
        )
        [new] = (await post(dmp.http, "registry", again, dmp.headers)).ids("ExtrinsicObject")
        deletion = update(status_of(new, "Approved", "Deleted"))
        refused = await post(dmp.http, "registry", deletion, other.headers)
        assert refused.status == "Failure"
        assert (await post(dmp.http, "registry", deletion, dmp.headers)).status == "Success"

    async def test_does_not_open_a_closed_record_to_an_author(self, start: Start) -> None:
        dmp = await start(dmp_authorizations="enforce")
        await dmp.say()
        entry = await dmp.deposit(document())
        await set_record(dmp, status="terminated")
        assert (await dmp.get(f"/DocumentReference/{entry}")).status_code == 404

    async def test_is_not_looked_at_where_it_is_off(self, start: Start) -> None:
        dmp = await start(dmp_authorizations="off")
        await dmp.say()
        await dmp.deposit(document())
        assert "x-socle-warning" not in (await dmp.find()).headers


class TestBlocked:
    async def test_professionals_read_nothing_and_may_still_deposit(
        self, dmp: Dmp, colleague: Dmp
    ) -> None:
        entry = await dmp.deposit(document())
        await set_record(dmp, rights=[{"professional": OTHER, "mode": "INTERDITE"}])
        refused = await colleague.find()
        assert (refused.status_code, rules(refused)) == (403, {"DMP-ACCESS-BLOCKED": "patient"})
        for path in (f"/DocumentReference/{entry}", f"/Binary/{entry}"):
            assert (await colleague.get(path)).status_code == 404
        got = await post(colleague.http, "repository", retrieval("1.2.3"), colleague.headers)
        assert got.status == "Failure"
        assert (await colleague.provide(document(seed=1).bundle)).status_code == 200
        assert len(ids_of((await dmp.find()).json())) == 2


class TestClosed:
    async def test_records_are_neither_read_nor_fed(self, dmp: Dmp) -> None:
        given = document()
        entry = await dmp.deposit(given)
        await set_record(dmp, status="terminated")
        assert rules(await dmp.find()) == {"DMP-ACCESS-CLOSED": "patient"}
        assert (await dmp.get(f"/Binary/{entry}")).status_code == 404
        refused = await dmp.provide(document(seed=1).bundle)
        assert refused.status_code == 422
        assert set(rules(refused)) == {"XDSUnknownPatientId"}
        lot = await post(dmp.http, "repository", Lot().message(), dmp.headers)
        assert set(lot.errors.values()) == {"XDSUnknownPatientId"}
        assert (await dmp.stored())["document"] == 1
        await set_record(dmp)
        assert ids_of((await dmp.find()).json()) == [entry]

    async def test_records_that_do_not_exist_are_not_fed(self, start: Start) -> None:
        dmp = await start(dmp_records="explicit")
        await dmp.say()
        assert set(rules(await dmp.provide(document().bundle))) == {"XDSUnknownPatientId"}
        await set_record(dmp)
        assert (await dmp.provide(document().bundle)).status_code == 200

    async def test_opposition_to_documents_is_respected(self, dmp: Dmp) -> None:
        await set_record(dmp, opposes_feeding=True)
        refused = await dmp.provide(document().bundle)
        assert set(rules(refused)) == {"LocalPolicyRestrictionError"}
        two = await post(
            dmp.http, "repository", Lot([document(), document(seed=2)]).message(), dmp.headers
        )
        assert set(two.errors.values()) == {"LocalPolicyRestrictionError"}


class TestEmergency:
    @pytest.mark.parametrize(
        ("purpose", "opposition"),
        [("bris_de_glace", "opposes_break_glass"), ("centre_15", "opposes_emergency")],
    )
    async def test_needs_no_authorization_unless_the_patient_opposes(
        self, start: Start, purpose: str, opposition: str
    ) -> None:
        dmp = await start(dmp_authorizations="enforce")
        await dmp.say()
        await dmp.deposit(document())
        assert len((await by_soap(dmp, purpose)).ids("ExtrinsicObject")) == 1
        await set_record(dmp, **{opposition: True})
        assert (await by_soap(dmp, purpose)).rules == {"DMP-ACCESS-OPPOSED"}

    async def test_shows_masked_documents_if_the_patient_allows_it(
        self, dmp: Dmp, colleague: Dmp
    ) -> None:
        await mask(dmp)
        assert (await by_soap(colleague, "centre_15")).ids("ExtrinsicObject") == []
        await set_record(dmp, shows_masked_in_emergency=True)
        assert len((await by_soap(colleague, "centre_15")).ids("ExtrinsicObject")) == 1
        assert (await by_soap(colleague)).ids("ExtrinsicObject") == []


class TestTreatingDoctor:
    async def test_sees_and_unmasks_what_is_masked(self, dmp: Dmp, colleague: Dmp) -> None:
        entry = await mask(dmp)
        assert ids_of((await colleague.find()).json()) == []
        await authorize(colleague, role="MEDECIN_TRAITANT")
        assert ids_of((await colleague.find()).json()) == [entry]
        assert (await colleague.get(f"/Binary/{entry}")).status_code == 200
        shown = await patch(colleague, entry, replaces("/securityLabel/0", NORMAL))
        assert shown.status_code == 200, shown.text

    async def test_does_not_delete_what_others_wrote(self, dmp: Dmp, colleague: Dmp) -> None:
        entry = await dmp.deposit(document())
        await authorize(colleague, role="MEDECIN_TRAITANT")
        response = await patch(colleague, entry, replaces("/status", "entered-in-error"))
        assert response.status_code == 403

    async def test_is_that_of_one_patient_in_one_space(
        self, dmp: Dmp, colleague: Dmp, mint: TokenMint
    ) -> None:
        await mask(dmp)
        space = f"{dmp.space}-m"
        elsewhere = replace(colleague, space=space, headers=mint.headers(space, OTHER))
        await elsewhere.say(ANNE)
        await authorize(elsewhere, role="MEDECIN_TRAITANT")
        assert ids_of((await colleague.find()).json()) == []


async def test_a_search_by_lists_is_refused_the_same_way(dmp: Dmp, colleague: Dmp) -> None:
    await dmp.deposit(document())
    await set_record(dmp, rights=[{"professional": OTHER, "mode": "INTERDITE"}])
    whose = f"urn:oid:{ANNE.oid}|{ANNE.with_key}"
    response: httpx.Response = await colleague.get(f"/List?patient.identifier={whose}")
    assert rules(response) == {"DMP-ACCESS-BLOCKED": "patient"}
    assert rules(await colleague.find()) == {"DMP-ACCESS-BLOCKED": "patient"}


class TestTraits:
    """Of the document, held against those of the qualified identity."""

    SAME = {"family_name": "Exemple", "birth_date": "1979-03-28", "sex": "F"}  # noqa: RUF012

    async def test_that_agree_are_taken(self, dmp: Dmp) -> None:
        await dmp.say(traits=self.SAME)
        assert (await dmp.provide(document().bundle)).status_code == 200

    @pytest.mark.parametrize(
        ("name", "value", "path"),
        [
            ("family_name", "AUTRE", "name/family[@qualifier='BR']"),
            ("birth_date", "1979-03-29", "birthTime"),
            ("sex", "M", "administrativeGenderCode"),
        ],
    )
    async def test_that_differ_are_refused_by_name(
        self, start: Start, ins_url: str, name: str, value: str, path: str
    ) -> None:
        """INS is asked once more, since events may be late; here it knows nobody."""
        dmp = await start(ins_url=ins_url)
        await dmp.say(traits={**self.SAME, name: value})
        refused = await dmp.provide(document().bundle)
        assert refused.status_code == 422
        expected = f"/ClinicalDocument/recordTarget/patientRole/patient/{path}"
        assert rules(refused) == {"DMP-INS-TRAITS": expected}
        lot = Lot([document(), document(seed=1)])
        answer = await post(dmp.http, "repository", lot.message(), dmp.headers)
        assert answer.errors == {expected: "XDSPatientIdDoesNotMatch"}
        assert (await dmp.stored())["document"] == 0

    async def test_that_differ_are_taken_where_nobody_compares(self, start: Start) -> None:
        dmp = await start(dmp_traits="off")
        await dmp.say(traits={**self.SAME, "sex": "M"})
        assert (await dmp.provide(document().bundle)).status_code == 200
        lenient = await start(dmp_validation="lenient")
        assert (await lenient.provide(document(seed=1).bundle)).status_code == 200

    async def test_of_a_document_that_is_registered_are_not_asked_again(self, dmp: Dmp) -> None:
        given = document()
        await dmp.deposit(given)
        await dmp.say(traits={**self.SAME, "sex": "M"})
        assert (await dmp.provide(given.bundle)).status_code == 200


class TestMatrices:
    """Who may call what, and what a profession reads."""

    async def test_of_functions_refuses_what_it_does_not_list(self, start: Start) -> None:
        dmp = await start(dmp_rights="enforce")
        await dmp.say()
        give = own(RIGHTS, "setAuthorization", action="AJOUT")
        allowed = await call(dmp, "habilitations", give, security())
        assert allowed.text("//r:status") == "DMPOk"
        refused = await call(dmp, "habilitations", give, security(purpose="bris_de_glace"))
        assert refused.fault == "soap:SocleRights"
        assert refused.texts("//socle:problem/@rule") == ["DMP-RIGHTS"]

    async def test_of_functions_is_told_by_default(self, dmp: Dmp) -> None:
        give = own(RIGHTS, "setAuthorization", action="AJOUT")
        told = await call(dmp, "habilitations", give, security(purpose="centre_15"))
        assert told.text("//r:status") == "DMPOk"
        assert told.response.headers["x-socle-warning"] == "DMP-RIGHTS"

    async def test_of_professions_hides_classes(self, start: Start, tmp_path: Path) -> None:
        matrix = tmp_path / "matrix.yaml"
        matrix.write_text('{source: test, confidence: test, hidden: {"10": ["10"]}}')
        dmp = await start(dmp_habilitation="enforce", dmp_habilitation_file=matrix)
        await dmp.say()
        other = replace(dmp, headers=dict(dmp.headers))
        await dmp.deposit(document())
        assert len((await by_soap(dmp)).ids("ExtrinsicObject")) == 1  # their own
        async with dmp.database.write() as session:
            await session.execute(text("UPDATE dmp.document SET owners = '{x}'"))
        assert (await by_soap(other)).ids("ExtrinsicObject") == []
        default = await start(dmp_habilitation="enforce")
        assert len((await by_soap(default)).ids("ExtrinsicObject")) == 1  # doctors read everything


async def test_a_search_without_beginning_is_told(dmp: Dmp) -> None:
    await authorize(dmp)
    answer = await by_soap(dmp)
    assert answer.response.headers["x-socle-warning"] == "DMP-SEARCH-TWO-YEARS"
    bounded = query(FIND_DOCUMENTS, patient_slot(), *APPROVED,
                    ("$XDSDocumentEntryCreationTimeFrom", "'20210101'"))  # fmt: skip
    found = await post(dmp.http, "registry", bounded, dmp.headers)
    assert "x-socle-warning" not in found.response.headers
