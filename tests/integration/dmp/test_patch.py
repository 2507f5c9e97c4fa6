"""PATCH of a DocumentReference: TD3.3 by FHIR, by id and by a search."""

import asyncio
from typing import Any

import httpx
import pytest

from services.dmp.fhir.resources import IS_ARCHIVED

from .conftest import FHIR, Dmp, Start, rules
from .samples import ANNE, document
from .xds import post, query

LEVEL = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
VISIBILITY = (
    "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/"
    "TRE-A07-StatutVisibiliteDocument"
)
MASKED = {"coding": [{"system": VISIBILITY, "code": "MASQUE_PS"}]}
HIDDEN = {"coding": [{"system": VISIBILITY, "code": "INVISIBLE_PATIENT"}]}
NORMAL = {"coding": [{"system": LEVEL, "code": "N"}]}
JSON_PATCH = {"Content-Type": "application/json-patch+json"}
PARAMETERS = {"Content-Type": "application/fhir+json"}


def replaces(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


async def patch(dmp: Dmp, where: str, *operations: Any, **headers: str) -> httpx.Response:
    """By JSON Patch; `where` is an id, or a search that begins with a question mark."""
    separator = "" if where.startswith("?") else "/"
    return await dmp.http.patch(
        f"{FHIR}/DocumentReference{separator}{where}",
        json=list(operations),
        headers={**dmp.headers, **JSON_PATCH, **headers},
    )


def fhirpath(*operations: dict[str, Any]) -> dict[str, Any]:
    """Each operation is its parts: name to (kind of value, value)."""
    return {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "operation",
                "part": [{"name": name, f"value{kind}": it} for name, (kind, it) in one.items()],
            }
            for one in operations
        ],
    }


async def patch_by_path(dmp: Dmp, where: str, *operations: dict[str, Any]) -> httpx.Response:
    return await dmp.http.patch(
        f"{FHIR}/DocumentReference/{where}",
        json=fhirpath(*operations),
        headers={**dmp.headers, **PARAMETERS},
    )


def codes(resource: dict[str, Any]) -> list[str]:
    return [label["coding"][0]["code"] for label in resource["securityLabel"]]


def archived(resource: dict[str, Any]) -> bool:
    return any(it["valueBoolean"] for it in resource["extension"] if it["url"] == IS_ARCHIVED)


async def kinds(dmp: Dmp) -> list[str]:
    return [event["type"].split(".")[2] for event in await dmp.told()]


class TestVisibility:
    """TD3.3a and TD3.3b, as the guide writes them."""

    async def test_masks_and_unmasks_by_the_first_label(self, dmp: Dmp) -> None:
        entry = await dmp.deposit(document())
        masked = await patch(dmp, entry, replaces("/securityLabel/0", MASKED))
        assert masked.status_code == 200, masked.text
        assert codes(masked.json()) == ["MASQUE_PS", "N"]
        assert masked.headers["etag"] == 'W/"2"'
        shown = await patch(dmp, entry, replaces("/securityLabel/0", NORMAL))
        assert codes(shown.json()) == ["N"]
        assert shown.json()["meta"]["versionId"] == "3"
        assert shown.json()["id"] == entry
        assert await kinds(dmp) == ["registered", "visibility_changed", "visibility_changed"]

    async def test_hides_from_the_patient_beside_what_is_there(self, dmp: Dmp) -> None:
        entry = await dmp.deposit(document())
        await patch(dmp, entry, replaces("/securityLabel/0", MASKED))
        both = await patch(dmp, entry, {"op": "add", "path": "/securityLabel/-", "value": HIDDEN})
        assert codes(both.json()) == ["MASQUE_PS", "INVISIBLE_PATIENT", "N"]
        one = await patch(dmp, entry, {"op": "remove", "path": "/securityLabel/0"})
        assert codes(one.json()) == ["INVISIBLE_PATIENT", "N"]

    async def test_of_a_masked_document_is_for_its_owner(self, dmp: Dmp, colleague: Dmp) -> None:
        entry = await dmp.deposit(document())
        assert (
            await patch(colleague, entry, replaces("/securityLabel/0", MASKED))
        ).status_code == 200
        hidden = await patch(colleague, entry, replaces("/securityLabel/0", NORMAL))
        assert hidden.status_code == 404  # it is not shown to them any more
        assert (await patch(dmp, entry, replaces("/securityLabel/0", NORMAL))).status_code == 200

    async def test_makes_a_version_that_xds_shows_with_a_set_of_its_own(self, dmp: Dmp) -> None:
        given = document()
        entry = await dmp.deposit(given)
        await patch(dmp, entry, replaces("/securityLabel/0", MASKED))
        answer = await post(
            dmp.http,
            "registry",
            query("f26abbcb-ac74-4422-8a30-edb644bbc1a9",
                  ("$XDSSubmissionSetPatientId", f"'{ANNE.cx}'"),
                  ("$XDSSubmissionSetStatus", "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')")),
            dmp.headers,
        )  # fmt: skip
        assert len(answer.ids("RegistryPackage")) == 2
        assert (await dmp.stored())["submission_set"] == 2

    async def test_that_changes_nothing_tells_nothing(self, dmp: Dmp) -> None:
        entry = await dmp.deposit(document())
        same = await patch(dmp, entry, replaces("/securityLabel/0", NORMAL))
        assert (same.status_code, same.headers["etag"]) == (200, 'W/"1"')
        assert await kinds(dmp) == ["registered"]

    @pytest.mark.parametrize(
        "value",
        [
            {"coding": [{"system": VISIBILITY, "code": "MASQUE_PSOCIAL"}]}, {}, [], "N", None, 3,
            {"coding": [{"code": ["N"]}]}, {"coding": "N"}, {"text": "masqué"},
        ],
    )  # fmt: skip
    async def test_refuses_other_labels(self, dmp: Dmp, value: Any) -> None:
        entry = await dmp.deposit(document())
        response = await patch(dmp, entry, replaces("/securityLabel/0", value))
        assert response.status_code == 422, response.text
        assert rules(response) == {"PDSM-PATCH-LABEL": "securityLabel"}


class TestStatus:
    """TD3.3c and TD3.3d."""

    @pytest.mark.parametrize(
        "path", [f"/extension[url:'{IS_ARCHIVED}']/valueBoolean", "/extension/0/valueBoolean"]
    )
    async def test_archives_and_back(self, dmp: Dmp, path: str) -> None:
        entry = await dmp.deposit(document())
        response = await patch(dmp, entry, replaces(path, True))
        assert response.status_code == 200, response.text
        assert archived(response.json())
        assert response.json()["status"] == "current"
        assert not archived((await patch(dmp, entry, replaces(path, False))).json())
        assert await kinds(dmp) == ["registered", "archived", "unarchived"]

    async def test_deletes_by_entered_in_error(self, dmp: Dmp) -> None:
        entry = await dmp.deposit(document())
        response = await patch(dmp, entry, replaces("/status", "entered-in-error"))
        assert response.json()["status"] == "entered-in-error"
        assert (await dmp.get(f"/Binary/{entry}")).status_code == 410
        again = await patch(dmp, entry, replaces("/status", "current"))
        assert again.status_code == 422
        assert await kinds(dmp) == ["registered", "deleted"]

    async def test_deletes_by_superseded_only_where_it_is_told_so(
        self, dmp: Dmp, start: Start
    ) -> None:
        entry = await dmp.deposit(document())
        refused = await patch(dmp, entry, replaces("/status", "superseded"))
        assert rules(refused) == {"PDSM-PATCH-STATUS": "DocumentReference.status"}
        other = await start(dmp_fhir_delete_status="superseded")
        assert (await patch(other, entry, replaces("/status", "superseded"))).status_code == 200
        assert (await dmp.get(f"/Binary/{entry}")).status_code == 410

    async def test_is_for_the_author_only(self, dmp: Dmp, colleague: Dmp) -> None:
        entry = await dmp.deposit(document())
        response = await patch(colleague, entry, replaces("/status", "entered-in-error"))
        assert response.status_code == 403
        assert set(rules(response)) == {"LocalPolicyRestrictionError"}

    async def test_changes_status_and_visibility_at_once(self, dmp: Dmp) -> None:
        entry = await dmp.deposit(document())
        response = await patch(
            dmp,
            entry,
            replaces("/securityLabel/0", HIDDEN),
            replaces("/extension/0/valueBoolean", True),
        )
        assert codes(response.json()) == ["INVISIBLE_PATIENT", "N"]
        assert archived(response.json())


class TestFhirPath:
    async def test_does_what_json_patch_does(self, dmp: Dmp) -> None:
        entry = await dmp.deposit(document())
        kind, replace_ = ("Code", "replace"), "DocumentReference"
        masked = await patch_by_path(
            dmp,
            entry,
            {
                "type": kind,
                "path": ("String", f"{replace_}.securityLabel[0]"),
                "value": ("CodeableConcept", MASKED),
            },
        )
        assert codes(masked.json()) == ["MASQUE_PS", "N"], masked.text
        where = f"DocumentReference.extension.where(url='{IS_ARCHIVED}').value"
        kept = await patch_by_path(
            dmp, entry, {"type": kind, "path": ("String", where), "value": ("Boolean", True)}
        )
        assert archived(kept.json())
        label = "DocumentReference.securityLabel.where(coding.code='MASQUE_PS')"
        shown = await patch_by_path(
            dmp, entry, {"type": ("Code", "delete"), "path": ("String", label)}
        )
        assert codes(shown.json()) == ["N"], shown.text
        hidden = await patch_by_path(
            dmp,
            entry,
            {"type": ("Code", "add"), "path": ("String", "DocumentReference"),
             "name": ("String", "securityLabel"), "value": ("CodeableConcept", HIDDEN)},
        )  # fmt: skip
        assert codes(hidden.json()) == ["INVISIBLE_PATIENT", "N"]
        gone = await patch_by_path(
            dmp,
            entry,
            {
                "type": kind,
                "path": ("String", "DocumentReference.status"),
                "value": ("Code", "entered-in-error"),
            },
        )
        assert gone.json()["status"] == "entered-in-error"

    async def test_inserts_a_label(self, dmp: Dmp) -> None:
        entry = await dmp.deposit(document())
        place = {"type": ("Code", "insert"), "path": ("String", "DocumentReference.securityLabel")}
        value = {"value": ("CodeableConcept", HIDDEN)}
        shown = await patch_by_path(dmp, entry, {**place, "index": ("Integer", 0), **value})
        assert codes(shown.json()) == ["INVISIBLE_PATIENT", "N"], shown.text
        for index in (-1, 7):
            wrong = await patch_by_path(dmp, entry, {**place, "index": ("Integer", index), **value})
            assert wrong.status_code == 422
        assert (await patch_by_path(dmp, entry, {**place, **value})).status_code == 422

    async def test_refuses_a_path_of_another_element(self, dmp: Dmp) -> None:
        entry = await dmp.deposit(document())
        response = await patch_by_path(
            dmp,
            entry,
            {
                "type": ("Code", "replace"),
                "path": ("String", "DocumentReference.type"),
                "value": ("String", "x"),
            },
        )
        assert response.status_code == 405
        assert rules(response) == {"PDSM-PATCH-ELEMENT": "DocumentReference.type"}

    @pytest.mark.parametrize("body", [None, [], {}, {"resourceType": "Parameters"},
                                      {"resourceType": "Parameters", "parameter": [3, {"part": 4}]}])  # fmt: skip
    async def test_refuses_what_is_no_patch(self, dmp: Dmp, body: Any) -> None:
        entry = await dmp.deposit(document())
        response = await dmp.http.patch(
            f"{FHIR}/DocumentReference/{entry}", json=body, headers={**dmp.headers, **PARAMETERS}
        )
        assert response.status_code in (400, 405), response.text


class TestConditional:
    async def test_finds_by_the_unique_id(self, dmp: Dmp) -> None:
        given = document()
        entry = await dmp.deposit(given)
        where = f"?identifier=urn:ietf:rfc:3986|urn:oid:{given.unique_id}"
        response = await patch(dmp, where, replaces("/securityLabel/0", MASKED))
        assert response.status_code == 200, response.text
        assert response.json()["id"] == entry

    async def test_says_that_nothing_is_found(self, dmp: Dmp) -> None:
        response = await patch(dmp, "?identifier=urn:oid:1.2.3", replaces("/status", "current"))
        assert response.status_code == 404

    async def test_finds_nothing_without_repeating_what_was_searched_for(self, dmp: Dmp) -> None:
        where = f"?patient.identifier=urn:oid:{ANNE.oid}|{ANNE.with_key}"
        response = await patch(dmp, where, replaces("/status", "current"))
        assert response.status_code == 404
        assert ANNE.matricule not in response.text

    async def test_refuses_more_than_one(self, dmp: Dmp) -> None:
        for seed in range(2):
            await dmp.deposit(document(seed=seed))
        ins = document().ins
        where = f"?patient.identifier=urn:oid:{ins.oid}|{ins.with_key}"
        assert (await patch(dmp, where, replaces("/status", "current"))).status_code == 412

    @pytest.mark.parametrize("where", ["", "?", "?status=current", "?identifer=urn:oid:1"])
    async def test_refuses_a_search_that_it_does_not_know(self, dmp: Dmp, where: str) -> None:
        response = await patch(dmp, where or "?", replaces("/status", "current"))
        assert response.status_code == 400


class TestProtocol:
    async def test_looks_at_if_match(self, dmp: Dmp) -> None:
        entry = await dmp.deposit(document())
        mask = replaces("/securityLabel/0", MASKED)
        assert (await patch(dmp, entry, mask, **{"If-Match": 'W/"7"'})).status_code == 412
        assert (await patch(dmp, entry, mask, **{"If-Match": 'W/"1"'})).status_code == 200
        assert (await patch(dmp, entry, mask, **{"If-Match": 'W/"1"'})).status_code == 412
        for one in ('"9", W/"2"', '"2"', "*"):
            assert (await patch(dmp, entry, mask, **{"If-Match": one})).status_code == 200

    async def test_keeps_both_of_two_at_once(self, dmp: Dmp) -> None:
        entry = await dmp.deposit(document())
        adds = [{"op": "add", "path": "/securityLabel/-", "value": one} for one in (MASKED, HIDDEN)]
        answers = await asyncio.gather(*(patch(dmp, entry, one) for one in adds))
        assert [one.status_code for one in answers] == [200, 200]
        resource = (await dmp.get(f"/DocumentReference/{entry}")).json()
        assert codes(resource) == ["MASQUE_PS", "INVISIBLE_PATIENT", "N"]
        assert resource["meta"]["versionId"] == "3"

    async def test_changes_nothing_when_one_operation_fails(self, dmp: Dmp) -> None:
        entry = await dmp.deposit(document())
        response = await patch(
            dmp, entry, replaces("/securityLabel/0", MASKED), replaces("/securityLabel/9", NORMAL)
        )
        assert response.status_code == 422
        assert codes((await dmp.get(f"/DocumentReference/{entry}")).json()) == ["N"]

    async def test_runs_tests_on_what_is_registered(self, dmp: Dmp) -> None:
        entry = await dmp.deposit(document())
        good = {"op": "test", "path": "/status", "value": "current"}
        bad = {"op": "test", "path": "/status", "value": "superseded"}
        assert (
            await patch(dmp, entry, good, replaces("/securityLabel/0", HIDDEN))
        ).status_code == 200
        failed = await patch(dmp, entry, bad, replaces("/securityLabel/0", NORMAL))
        assert rules(failed) == {"PDSM-PATCH-TEST": "test"}

    @pytest.mark.parametrize(
        "path",
        ["/type", "/content/0/attachment/url", "/subject", "", "/id", "/meta/versionId", "/date"],
    )
    async def test_refuses_other_elements_with_405(self, dmp: Dmp, path: str) -> None:
        entry = await dmp.deposit(document())
        response = await patch(dmp, entry, replaces(path, {"text": "x"}))
        assert response.status_code == 405, response.text
        assert set(rules(response)) == {"PDSM-PATCH-ELEMENT"}

    @pytest.mark.parametrize(
        "operations",
        [
            [{"op": "copy", "from": "/securityLabel", "path": "/securityLabel/-"}],
            [{"op": "replace"}], [{}], [{"op": [], "path": 3}], [3], {"op": "replace"}, None,
            [{"op": "remove", "path": "/extension/0"}] * 65,
            [{"op": "replace", "path": "/securityLabel/x", "value": MASKED}],
            [{"op": "add", "path": "/extension/-", "value": {"url": "urn:other"}}],
            [{"op": "replace", "path": "/extension", "value": 3}],
            [{"op": "replace", "path": "/extension", "value": None}],
            [{"op": "replace", "path": "/securityLabel", "value": {}}],
            [{"op": "replace", "path": "/status", "value": ["current"]}],
            [{"op": "replace", "path": "/extension/0/valueBoolean", "value": "true"}],
            [{"op": "replace", "path": "/extension[url:'urn:x']/valueBoolean", "value": True}],
            [{"op": "add", "path": "/status"}],
            [{"op": "remove", "path": "/status"}],
            [{"op": "replace", "path": "/status/~2", "value": 1}],
        ],
    )  # fmt: skip
    async def test_refuses_hostile_patches(self, dmp: Dmp, operations: Any) -> None:
        entry = await dmp.deposit(document())
        response = await dmp.http.patch(
            f"{FHIR}/DocumentReference/{entry}",
            json=operations,
            headers={**dmp.headers, **JSON_PATCH},
        )
        assert response.status_code in (400, 405, 422), response.text
        assert rules(response)
        assert await kinds(dmp) == ["registered"]

    @pytest.mark.parametrize("kind", ["application/xml-patch+xml", "text/plain", ""])
    async def test_refuses_other_media_types(self, dmp: Dmp, kind: str) -> None:
        entry = await dmp.deposit(document())
        response = await patch(dmp, entry, **{"Content-Type": kind})
        assert response.status_code == 415

    async def test_does_not_know_a_document_of_another_space(
        self, dmp: Dmp, neighbour: Dmp
    ) -> None:
        entry = await dmp.deposit(document())
        assert (
            await patch(neighbour, entry, replaces("/securityLabel/0", MASKED))
        ).status_code == 404
