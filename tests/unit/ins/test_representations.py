"""Identities in the forms of HL7v2, CDA and FR Core, against the published examples' shapes."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from lxml import etree

from services.ins.domain.identity import Identity, LocalNames, Provenance
from services.ins.domain.person import RegisteredIns
from services.ins.domain.representations import (
    identity_codes,
    pid_segment,
    record_target,
    zfd_segment,
)
from services.ins.fhir.patient import patient
from socle.ids.identity_status import IdentityState
from socle.ids.traits import Traits

AT = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
ID = UUID("01936b3c-0000-7000-8000-000000000001")
HL7 = {"h": "urn:hl7-org:v3"}


@pytest.fixture
def pat_trois() -> Identity:
    """The test person of the ANS's own documents (spec: ins.md §5)."""
    return Identity(
        id=ID,
        traits=Traits("PAT-TROIS", "DOMINIQUE MARIE-LOUISE", "F", "1979-03-28", "51215"),
        state=IdentityState(retrieved=True, checked=True),
        created_at=AT,
        updated_at=AT,
        external_id="IPP-1",
        ins=RegisteredIns("1.2.250.1.213.1.4.10", "2790351215189", "89"),
        provenance=Provenance("INSI", AT, "CN", AT, "2031-05-01"),
    )


def fields(segment: str) -> dict[int, str]:
    return {number: value for number, value in enumerate(segment.split("|")) if value and number}


class TestHl7v2:
    def test_carries_the_ins_as_the_published_examples_do(self, pat_trois: Identity) -> None:
        assert fields(pid_segment(pat_trois, "SOCLE")) == {
            1: "1",
            3: "IPP-1^^^SOCLE^PI~279035121518989^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS",
            5: "PAT-TROIS^DOMINIQUE^DOMINIQUE MARIE-LOUISE^^^^L",
            7: "19790328",
            8: "F",
            11: "^^^^^FRA^BDL^^51215",
            32: "VALI",
        }

    def test_tells_how_sure_the_identity_is(self, pat_trois: Identity) -> None:
        assert fields(zfd_segment(pat_trois)) == {
            4: "N", 5: "INSI", 6: "20261127", 7: "CN", 8: "20310501",
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("state", "codes"),
        [
            (IdentityState(), ["PROV"]),
            (IdentityState(retrieved=True), ["PROV"]),
            (IdentityState(checked=True), ["VALI"]),
            (IdentityState(retrieved=True, checked=True, homonym=True), ["VALI", "HOMA"]),
            (IdentityState(doubtful=True, homonym=True), ["PROV", "HOMA", "DOUT"]),
            (IdentityState(fictive=True), ["PROV", "FICT"]),
        ],
    )
    def test_says_the_status_in_the_codes_that_hl7_has(
        self, pat_trois: Identity, state: IdentityState, codes: list[str]
    ) -> None:
        identity = replace(pat_trois, state=state)
        assert identity_codes(identity) == codes
        has_ins = "INS-NIR" in pid_segment(identity, "SOCLE")
        assert has_ins is (state.retrieved and state.checked)

    def test_leaves_a_lunar_date_to_the_segment_that_can_hold_it(self, pat_trois: Identity) -> None:
        lunar = replace(pat_trois, traits=replace(pat_trois.traits, birth_date="1950-14-33"))
        assert fields(pid_segment(lunar, "SOCLE"))[7] == "1950"
        assert fields(zfd_segment(lunar))[1] == "33^14^1950"

    def test_gives_no_country_for_a_birth_abroad(self, pat_trois: Identity) -> None:
        abroad = replace(pat_trois, traits=replace(pat_trois.traits, birth_place="99109"))
        assert fields(pid_segment(abroad, "SOCLE"))[11] == "^^^^^^BDL^^99109"

    def test_keeps_a_separator_inside_its_value(self, pat_trois: Identity) -> None:
        hostile = replace(pat_trois, external_id="A|B^C~D&E\\F")
        numbers = fields(pid_segment(hostile, "SOCLE"))[3]
        assert numbers.startswith("A\\F\\B\\S\\C\\R\\D\\T\\E\\E\\F^^^SOCLE^PI~")


class TestCda:
    def test_has_every_part_that_the_schematron_asks_for_with_an_ins(
        self, pat_trois: Identity
    ) -> None:
        names = LocalNames("DOMINIQUE", "NESSI", "")
        root = etree.fromstring(record_target(replace(pat_trois, names=names), "2.25.1"))
        texts = {
            path: root.xpath(f"string(h:patientRole/{path})", namespaces=HL7)
            for path in (
                "h:id[1]/@root", "h:id[1]/@extension", "h:id[2]/@extension", "h:telecom/@value",
                "h:patient/h:name/h:family[@qualifier='BR']",
                "h:patient/h:name/h:family[@qualifier='CL']",
                "h:patient/h:name/h:given[not(@qualifier)]",
                "h:patient/h:name/h:given[@qualifier='BR']",
                "h:patient/h:administrativeGenderCode/@code", "h:patient/h:birthTime/@value",
                "h:patient/h:birthplace/h:place/h:addr/h:county",
            )
        }  # fmt: skip
        assert list(texts.values()) == [
            "1.2.250.1.213.1.4.10", "279035121518989", "IPP-1",
            "mailto:279035121518989@patient.mssante.fr", "PAT-TROIS", "NESSI",
            "DOMINIQUE MARIE-LOUISE", "DOMINIQUE", "F", "19790328", "51215",
        ]  # fmt: skip

    def test_keeps_the_ins_to_itself_unless_the_identity_is_qualified(
        self, pat_trois: Identity
    ) -> None:
        retrieved = replace(pat_trois, state=IdentityState(retrieved=True))
        assert b"279035121518989" not in record_target(retrieved, "2.25.1")


def reliability(resource: dict[str, Any]) -> list[dict[str, list[str]]]:
    found = []
    for extension in resource["extension"]:
        if extension["url"].endswith("fr-core-identity-reliability"):
            parts: dict[str, list[str]] = {}
            for part in extension["extension"]:
                value = part.get("valueDate") or part["valueCoding"]["code"]
                parts.setdefault(part["url"], []).append(value)
            found.append(parts)
    return found


class TestFhir:
    def test_has_the_identifier_and_profile_of_an_ins_when_qualified(
        self, pat_trois: Identity
    ) -> None:
        resource = patient(pat_trois, "2.1")
        assert resource["meta"]["profile"][0].endswith("/fr-core-patient-ins")
        [ins, local] = resource["identifier"]
        assert (ins["use"], ins["system"], ins["value"]) == (
            "official", "urn:oid:1.2.250.1.213.1.4.10", "279035121518989",
        )  # fmt: skip
        assert ins["type"]["coding"][0]["code"] == "INS-NIR-TEST"
        assert (local["use"], local["value"]) == ("usual", "IPP-1")
        [name] = resource["name"]
        assert (name["family"], name["given"]) == ("PAT-TROIS", ["DOMINIQUE"])
        assert name["extension"][0]["valueString"] == "DOMINIQUE MARIE-LOUISE"
        assert (resource["gender"], resource["birthDate"]) == ("female", "1979-03-28")

    @pytest.mark.parametrize("version", ["2.1", "2.2"])
    def test_never_shows_an_ins_that_may_not_be_sent(
        self, pat_trois: Identity, version: Any
    ) -> None:
        for state in (IdentityState(), IdentityState(retrieved=True), IdentityState(checked=True)):
            shown = patient(replace(pat_trois, state=state), version)
            assert "2790351215189" not in str(shown)
            assert shown["meta"]["profile"][0].endswith("/fr-core-patient")

    def test_says_the_status_as_each_version_of_fr_core_wants_it(self, pat_trois: Identity) -> None:
        doubtful = replace(pat_trois, state=IdentityState(doubtful=True, homonym=True))
        proof = {"methodCollection": ["INSI"], "dateCollection": ["2026-11-27"]}
        checked = {"validationDate": ["2026-11-27"], "validationMode": ["CN"]}
        assert reliability(patient(pat_trois, "2.1")) == [
            {"identityStatus": ["VALI"], **proof, **checked}
        ]
        assert reliability(patient(pat_trois, "2.2")) == [
            {"identityStatus": ["QUAL"], **proof, **checked}
        ]
        assert reliability(patient(doubtful, "2.1")) == [
            {"identityStatus": ["PROV"], **proof},
            {"identityStatus": ["HOMA"]},
            {"identityStatus": ["DOUT"]},
        ]
        assert reliability(patient(doubtful, "2.2")) == [
            {"identityStatus": ["PROV"], "comment": ["HOMA", "DOUT"], **proof}
        ]

    def test_keeps_former_numbers_as_old_identifiers(self, pat_trois: Identity) -> None:
        former = RegisteredIns("1.2.250.1.213.1.4.9", "1090763220888", "35")
        resource = patient(replace(pat_trois, former=(former,)), "2.1")
        old = [one for one in resource["identifier"] if one["use"] == "old"]
        assert [(one["value"], one["type"]["coding"][0]["code"]) for one in old] == [
            ("109076322088835", "INS-NIA")
        ]

    def test_points_to_the_survivor_when_it_was_merged(self, pat_trois: Identity) -> None:
        merged = replace(pat_trois, state=IdentityState(), merged_into=ID)
        resource = patient(merged, "2.1")
        assert resource["active"] is False
        assert resource["link"] == [
            {"other": {"reference": f"Patient/{ID}"}, "type": "replaced-by"}
        ]
