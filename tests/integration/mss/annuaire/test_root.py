"""Searches of several types and batches, which the API MSS specifies."""

from typing import Any

import httpx
import pytest

from services.mss.annuaire.domain.systems import MESSAGING
from tests.integration.mss.annuaire.conftest import Directory, matches

pytestmark = pytest.mark.postgres


async def send(directory: Directory, body: Any) -> httpx.Response:
    return await directory.http.post(
        directory.base, json=body, headers={"ESANTE-API-KEY": directory.key}
    )


def batch(*urls: str, method: str = "GET") -> dict[str, Any]:
    entries = [{"request": {"method": method, "url": url}} for url in urls]
    return {"resourceType": "Bundle", "type": "batch", "entry": entries}


async def test_searches_several_types_at_once(seeded: Directory) -> None:
    bundle = await seeded.search(
        f"?_type=Practitioner,Organization&mailbox-mss-type={MESSAGING}|PER,{MESSAGING}|ORG"
    )
    assert {one["resourceType"] for one in matches(bundle)} == {"Practitioner", "Organization"}
    assert bundle["total"] == len(matches(bundle))
    narrow = await seeded.search("?_type=Practitioner&mailbox-mss:contains=kit&_elements=telecom")
    [one] = matches(narrow)
    assert set(one) == {"resourceType", "id", "meta", "telecom"}


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7, 200])
async def test_pages_of_several_types_neither_repeat_nor_skip(
    seeded: Directory, count: int
) -> None:
    kinds = ("Device", "HealthcareService", "Practitioner")
    whole = [one["id"] for kind in kinds for one in await seeded.found(f"/{kind}?_count=500")]
    seen: list[str] = []
    link = f"{seeded.base}?_type={','.join(kinds)}&_count={count}"
    while link:
        answer = await seeded.http.get(link, headers={"ESANTE-API-KEY": seeded.key})
        assert answer.json()["total"] == len(whole)
        seen += [one["id"] for one in matches(answer.json())]
        links = {one["relation"]: one["url"] for one in answer.json()["link"]}
        link = links.get("next", "")
    assert seen == whole


async def test_answers_each_entry_of_a_batch(seeded: Directory) -> None:
    [kit] = await seeded.found("/Practitioner?family=DOC0042788")
    answer = await send(
        seeded,
        batch(
            f"Practitioner?mailbox-mss-type={MESSAGING}|PER",
            f"Practitioner/{kit['id']}",
            "Nothing?x=1",
            "Device?x=1",
            "http://[",
        ),
    )
    assert answer.status_code == 200
    entries = answer.json()["entry"]
    assert [one["response"]["status"] for one in entries] == [
        "200 OK", "200 OK", "404 Not Found", "400 Bad Request", "400 Bad Request",
    ]  # fmt: skip
    assert entries[0]["resource"]["type"] == "searchset"
    assert entries[1]["resource"] == kit
    assert "HAPI-0524" in entries[3]["response"]["outcome"]["issue"][0]["diagnostics"]


async def test_refuses_what_is_no_batch_of_reads(seeded: Directory) -> None:
    bodies: tuple[Any, ...] = (None, [], {"type": "transaction"}, {"type": "batch", "entry": 1})
    for body in bodies:
        assert (await send(seeded, body)).status_code == 400
    assert (await send(seeded, batch(*["Device"] * 51))).status_code == 400
    [entry] = (await send(seeded, batch("Device/1", method="DELETE"))).json()["entry"]
    assert entry["response"]["status"] == "400 Bad Request"
    odd = {"type": "batch", "entry": [1, {}, {"request": {"method": "GET"}}]}
    assert len((await send(seeded, odd)).json()["entry"]) == 3
    assert (await seeded.get("")).status_code == 400
    assert (await seeded.get("?_type=Nothing")).status_code == 404
    assert (await seeded.get("?_type=Device&_page_token=x")).status_code == 410
