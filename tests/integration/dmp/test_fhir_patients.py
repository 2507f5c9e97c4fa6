"""TD0.2 by FHIR: the record as a Patient."""

from typing import Any

import httpx
import pytest

from .conftest import FHIR, Dmp, Start, ids_of, rules
from .samples import ANNE, LEO, document
from .test_patients import authorize, set_record
from .test_xml import read

WHOSE = f"urn:oid:{ANNE.oid}|{ANNE.with_key}"


async def search(dmp: Dmp, *parameters: tuple[str, str], **headers: str) -> httpx.Response:
    query = httpx.QueryParams(list(parameters) or [("identifier", WHOSE)])
    return await dmp.http.get(f"{FHIR}/Patient", params=query, headers={**dmp.headers, **headers})


def extensions(resource: dict[str, Any]) -> dict[str, Any]:
    return {one["url"].rpartition("/")[2]: one.get("valueBoolean") for one in resource["extension"]}


async def test_shows_an_open_record_and_leads_to_its_documents(dmp: Dmp) -> None:
    entry = await dmp.deposit(document())
    await authorize(dmp, role="MEDECIN_TRAITANT")
    [found] = [one["resource"] for one in (await search(dmp)).json()["entry"]]
    assert (found["active"], found["gender"], found["birthDate"]) == (True, "female", "1979-03-28")
    assert found["identifier"][0]["value"] == ANNE.with_key
    assert found["name"][0]["family"] == "EXEMPLE"
    assert extensions(found) == {"dmp-rattachement-mes": True, "dmp-medecin-traitant": True}
    path = f"/DocumentReference?patient=Patient/{found['id']}"
    assert ids_of((await dmp.get(path)).json()) == [entry]
    assert read(await search(dmp, Accept="application/fhir+xml")).total == 1


async def test_shows_a_closed_record(dmp: Dmp) -> None:
    await set_record(dmp, status="terminated", attached=False)
    [found] = [one["resource"] for one in (await search(dmp)).json()["entry"]]
    assert found["active"] is False
    assert set(extensions(found)) == {
        "dmp-rattachement-mes", "dmp-medecin-traitant", "dmp-fermeture",
    }  # fmt: skip


async def test_finds_nobody_without_a_record(start: Start, ins_url: str) -> None:
    dmp = await start(ins_url=ins_url)
    other = ("identifier", f"urn:oid:{LEO.oid}|{LEO.with_key}")
    response = await search(dmp, other)
    assert (response.status_code, response.json()["total"]) == (200, 0)


@pytest.mark.parametrize("value", ["", "x", "urn:oid:1.2|3", f"urn:oid:{ANNE.oid}|279035121518900"])
async def test_refuses_what_is_no_ins(dmp: Dmp, value: str) -> None:
    response = await search(dmp, ("identifier", value))
    assert response.status_code == 400
    assert set(rules(response)) == {"DMP-SEARCH-IDENTIFIER"}


async def test_takes_its_parameter_from_a_form(dmp: Dmp) -> None:
    response = await dmp.http.post(
        f"{FHIR}/Patient/_search", data={"identifier": WHOSE}, headers=dmp.headers
    )
    assert response.json()["total"] == 1
