"""The forms in which documents and patients are named."""

from typing import Any

import pytest

from services.dmp.fhir.identifiers import patient_ins, unique_id_of, uri_of
from socle.ids.ins import NIR_TEST, Ins

INS = Ins(NIR_TEST, "2790351215189")
URI = "urn:ietf:rfc:3986"
GUID = "01936a5c-7a10-7c3e-9b52-4f1d2c3b5a69"


class TestUniqueId:
    @pytest.mark.parametrize(
        ("identifier", "expected"),
        [
            ({"system": URI, "value": "urn:oid:2.25.1"}, "2.25.1"),
            ({"value": "urn:oid:2.25.1"}, "2.25.1"),
            ({"system": URI, "value": "urn:oid:2.25.1^77"}, "2.25.1^77"),
            ({"system": "urn:oid:2.25.1", "value": "77"}, "2.25.1^77"),
            ({"system": URI, "value": f"urn:uuid:{GUID}"}, GUID),
            ({}, ""),
            (None, ""),
            ([], ""),
            ({"system": URI, "value": 1}, ""),
        ],
    )
    def test_reads_each_form_of_producers(self, identifier: Any, expected: str) -> None:
        assert unique_id_of(identifier) == expected

    @pytest.mark.parametrize("unique_id", ["2.25.1", "2.25.1^77", GUID])
    def test_comes_back_from_its_uri(self, unique_id: str) -> None:
        assert unique_id_of({"system": URI, "value": uri_of(unique_id)}) == unique_id


class TestPatient:
    @pytest.mark.parametrize(
        "subject",
        [
            {"reference": f"Patient?identifier=urn:oid:{INS.oid}|{INS.with_key}"},
            {"reference": f"Patient?identifier=urn:oid:{INS.oid}%7C{INS.with_key}"},
            {"reference": f"http://a.example/fhir/Patient?identifier=urn:oid:{INS.oid}|{INS.with_key}"},
            {"identifier": {"system": f"urn:oid:{INS.oid}", "value": INS.with_key}},
            {"reference": "#patient"},
        ],
    )  # fmt: skip
    def test_is_read_from_each_place_where_it_may_stand(self, subject: dict[str, Any]) -> None:
        contained = {
            "resourceType": "Patient",
            "id": "patient",
            "identifier": [INS.fhir_identifier],
        }
        found = patient_ins({"subject": subject, "contained": [contained]})
        assert found == (INS, [])

    @pytest.mark.parametrize(
        "subject",
        [None, 1, {}, {"reference": "Patient/1"}, {"reference": "#nobody"}, {"identifier": []},
         {"reference": "Patient?identifier="}, {"identifier": {"value": INS.with_key}}],
    )  # fmt: skip
    def test_is_absent_when_no_ins_is_named(self, subject: Any) -> None:
        assert patient_ins({"subject": subject}) is None

    def test_says_what_is_wrong_when_the_key_is(self) -> None:
        identifier = {"system": f"urn:oid:{INS.oid}", "value": f"{INS.matricule}00"}
        found = patient_ins({"subject": {"identifier": identifier}})

        assert found is not None
        assert found[0] is None
        assert len(found[1]) == 1
