"""Reading a submission of which nothing is known beforehand."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dmp.fhir.bundle import LIST_TYPES, Part, ProvideBundle, read_bundle
from services.dmp.fhir.storable import check_storable

CONTENT = b"<ClinicalDocument/>"


def entry(kind: str, name: str, **values: Any) -> dict[str, Any]:
    return {
        "fullUrl": f"urn:uuid:{name}",
        "resource": {"resourceType": kind, **values},
        "request": {"method": "POST", "url": kind},
    }


def submission() -> dict[str, Any]:
    coded = {"coding": [{"system": LIST_TYPES, "code": "submissionset"}]}
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            entry("List", "l", code=coded, entry=[{"item": {"reference": "urn:uuid:d"}}]),
            entry("DocumentReference", "d", content=[{"attachment": {"url": "urn:uuid:b"}}]),
            entry("Binary", "b", data=base64.b64encode(CONTENT).decode()),
        ],
    }


def rules(bundle: ProvideBundle) -> list[str]:
    return [problem.rule for problem in bundle.problems]


class TestRead:
    def test_finds_the_set_and_its_document_when_all_is_right(self) -> None:
        bundle = read_bundle(submission())

        assert bundle.problems == []
        assert bundle.submission_set is not None
        assert [document.content for document in bundle.documents] == [CONTENT]
        assert bundle.order == ["List", "DocumentReference", "Binary"]

    def test_follows_references_when_the_entries_are_in_another_order(self) -> None:
        value = submission()
        value["entry"].reverse()
        bundle = read_bundle(value)

        assert bundle.problems == []
        assert bundle.documents[0].reference.path == "Bundle.entry[1].resource"

    def test_names_a_binary_that_nobody_describes(self) -> None:
        value = submission()
        value["entry"].append(entry("Binary", "x", data="YQ=="))
        assert rules(read_bundle(value)) == ["MHD-BINARY-UNUSED"]

    @pytest.mark.parametrize(
        ("code", "rule"), [("folder", "MHD-LIST-ENTRY"), ("other", "MHD-LIST-CODE")]
    )
    def test_names_a_list_that_the_submission_set_does_not_or_that_is_of_no_kind(
        self, code: str, rule: str
    ) -> None:
        value = submission()
        coded = {"coding": [{"system": LIST_TYPES, "code": code}]}
        value["entry"].append(entry("List", "f", code=coded))
        assert rules(read_bundle(value)) == [rule]

    def test_names_two_entries_of_one_name(self) -> None:
        value = submission()
        value["entry"].append({**value["entry"][2]})
        assert rules(read_bundle(value)) == ["FHIR-FULLURL"]

    @pytest.mark.parametrize("data", ["YQ", "YQ=", "Y Q=", "YQ=\n", "_-8=", "é"])
    def test_is_strict_about_base64(self, data: str) -> None:
        value = submission()
        value["entry"][2]["resource"]["data"] = data
        bundle = read_bundle(value)

        assert rules(bundle) == ["FHIR-BASE64"]
        assert bundle.documents == []

    def test_takes_base64_in_lines(self) -> None:
        """As FHIR's base64Binary may be, and as pretty-printed XML is."""
        value = submission()
        binary = value["entry"][2]["resource"]
        binary["data"] = "\r\n  ".join(binary["data"][at : at + 4] for at in range(0, 9999, 4))
        assert [one.content for one in read_bundle(value).documents] == [CONTENT]

    def test_follows_relative_references_from_the_fullurl(self) -> None:
        """FHIR R4 §2.36.4.1: relative to the base of the entry that refers, where it has one."""
        written = json.dumps(submission())
        for one in submission()["entry"]:
            name = f"{one['resource']['resourceType']}/x-1"
            written = written.replace(f'"{one["fullUrl"]}"', f'"{name}"')
            written = written.replace(
                f'"fullUrl": "{name}"', f'"fullUrl": "https://client.example/r4/{name}"'
            )
        bundle = read_bundle(json.loads(written))
        assert bundle.problems == []
        assert [one.content for one in bundle.documents] == [CONTENT]

    def test_follows_no_relative_reference_without_a_base(self) -> None:
        value = submission()
        attachment = value["entry"][1]["resource"]["content"][0]["attachment"]
        value["entry"][2]["fullUrl"], attachment["url"] = "urn:uuid:x", "Binary/x"
        assert "MHD-ATTACHMENT" in rules(read_bundle(value))

    def test_lists_every_problem_when_there_are_several(self) -> None:
        value = submission()
        value["type"] = "batch"
        value["entry"][0]["request"]["method"] = "PUT"
        value["entry"][2]["resource"]["data"] = ""
        assert set(rules(read_bundle(value))) == {"MHD-TYPE", "MHD-REQUEST", "FHIR-BINARY-DATA"}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
_NAMES = st.sampled_from(
    ["resourceType", "type", "entry", "fullUrl", "resource", "request", "code", "coding", "system",
     "content", "attachment", "url", "data", "item", "reference", "method"]
)  # fmt: skip


class TestHostile:
    @given(_JSON)
    def test_answers_with_problems_when_the_body_is_any_json(self, value: Any) -> None:
        assert read_bundle(value).problems

    @given(st.integers(0, 2), _NAMES, _NAMES, _JSON)
    def test_never_raises_when_any_element_is_replaced_by_any_json(
        self, index: int, outer: str, inner: str, value: Any
    ) -> None:
        changed = submission()
        changed["entry"][index][outer] = value
        changed["entry"][index]["resource"] = {
            **submission()["entry"][index]["resource"], inner: value
        }  # fmt: skip
        bundle = read_bundle(changed)

        assert bundle.problems or bundle.documents


class TestStorable:
    @pytest.mark.parametrize(
        ("values", "rule"),
        [
            ({"identifier": "x"}, "FHIR-SHAPE"),
            ({"identifier": [None]}, "FHIR-SHAPE"),
            ({"content": [{}, "x"]}, "FHIR-SHAPE"),
            ({"meta": []}, "FHIR-SHAPE"),
            ({"description": "a\0b"}, "FHIR-STRING"),
            ({"a\0b": 1}, "FHIR-STRING"),
            ({"description": "\\\0"}, "FHIR-STRING"),
            ({"description": "line\n\\\b"}, "FHIR-STRING"),
            ({"description": "\x1f"}, "FHIR-STRING"),
            ({"description": "a\ufffe"}, "FHIR-STRING"),
        ],
    )
    def test_names_what_the_registry_could_not_give_back(
        self, values: dict[str, Any], rule: str
    ) -> None:
        assert [p.rule for p in check_storable(Part("Bundle.entry[1]", "", values))] == [rule]

    @pytest.mark.parametrize(
        "text", ["\\u0000", "\\\\u0000", "u0000", "é\t", "\\b", "\\\\f", "\n\\\n", "\ufffd"]
    )
    def test_accepts_any_other_text(self, text: str) -> None:
        assert check_storable(Part("Bundle.entry[1]", "", {"description": text})) == []
