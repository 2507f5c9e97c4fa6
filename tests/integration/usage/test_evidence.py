"""The documents behind a figure."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from .conftest import FINESS, MARCH, Usage

JULY = datetime.fromisoformat("2022-07-15T08:00:00+02:00")
PROGRAMME = "sun-es-volet-1"


async def listed(usage: Usage, code: str = "SU4", **query: Any) -> Any:
    params = {"structure": FINESS, "window": "F1", "programme": PROGRAMME, **query}
    response = await usage.http.get(
        f"/usage/indicators/{code}/documents", params=params, headers=usage.headers
    )
    assert response.status_code == 200, response.text
    return response.json()


async def asked(usage: Usage, unique_id: str) -> Any:
    response = await usage.http.get(
        "/usage/documents", params={"unique_id": unique_id}, headers=usage.headers
    )
    assert response.status_code == 200, response.text
    return response.json()


class TestListing:
    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({}, None),
            ({"level": "N1"}, "level"),
            ({"qualified": False}, "ins"),
            ({"registered_at": JULY.isoformat()}, "late"),
        ],
    )
    async def test_says_of_each_document_why_it_counts_or_not(
        self, usage: Usage, changes: dict[str, Any], reason: str | None
    ) -> None:
        event = usage.registered(**changes)
        await usage.consume(event)
        (document,) = (await listed(usage))["documents"]
        assert (document["reason"], document["counts"]) == (reason, reason is None)
        assert document["versions"][0]["event_id"] == str(event.id)
        assert await usage.counted() == (int(reason is None), 0)

    async def test_counts_as_many_as_the_indicator_does(self, usage: Usage) -> None:
        first, deleted = usage.registered(level="N1"), usage.registered()
        later = (MARCH + timedelta(minutes=1)).isoformat()
        better = usage.registered(chain_id=first.data["logical_id"], registered_at=later)
        await usage.consume(first, better, deleted, usage.deleted(deleted), usage.registered())

        documents = (await listed(usage))["documents"]
        assert sum(it["counts"] for it in documents) == 2
        assert sorted(str(it["reason"]) for it in documents) == ["None", "None", "deleted"]
        assert await usage.counted() == (2, 0)

    async def test_comes_in_pages(self, usage: Usage) -> None:
        await usage.consume(*(usage.registered() for _ in range(5)))
        seen: list[str] = []
        after: dict[str, str] = {}
        for size in (2, 2, 1):
            page = await listed(usage, limit=2, **after)
            assert len(page["documents"]) == size
            seen += [it["chain_id"] for it in page["documents"]]
            after = {"after": page["next"]} if page["next"] else {}
        assert len(set(seen)) == 5
        assert after == {}

    async def test_is_of_one_space(self, usage: Usage, neighbour: Usage) -> None:
        await neighbour.consume(neighbour.registered())
        assert (await listed(usage))["documents"] == []

    @pytest.mark.parametrize(
        ("path", "query", "status"),
        [
            ("indicators/SU4/documents", {}, 400),
            ("indicators/SU9/documents", {"structure": FINESS}, 404),
            ("indicators/SU4/documents", {"structure": FINESS, "window": "F9"}, 404),
            ("indicators/SU4/documents", {"structure": FINESS, "after": "x"}, 400),
            ("indicators/SU4/documents", {"structure": FINESS, "limit": "501"}, 400),
            ("indicators/V1-1/documents", {"professional": "10101010102"}, 422),
            ("documents", {"unique_id": "1.2.3"}, 404),
            ("documents", {"unique_id": "a\0"}, 400),
        ],
    )
    async def test_refuses_what_it_cannot_answer(
        self, usage: Usage, path: str, query: dict[str, str], status: int
    ) -> None:
        response = await usage.http.get(f"/usage/{path}", params=query, headers=usage.headers)
        assert response.status_code == status, response.text


class TestDocument:
    async def test_tells_what_it_counts_for(self, usage: Usage) -> None:
        event = usage.registered(level="N1", unique_id="1.2.250.1.9")
        await usage.consume(event)
        found = await asked(usage, "1.2.250.1.9")
        verdicts = {(it["programme"], it["indicator"]): it for it in found["indicators"]}

        assert found["quarantined"] is False
        assert verdicts[PROGRAMME, "SU4"]["reason"] == "level"
        assert verdicts[PROGRAMME, "SU5"]["reason"] == "type"
        assert verdicts["objectif-national", "DOCUMENTS"]["counts"] is True
        assert verdicts[PROGRAMME, "SU4"]["window"] == "F1"

    async def test_tells_when_its_structure_is_not_declared(self, usage: Usage) -> None:
        await usage.consume(usage.registered(structure="9B0000001", unique_id="1.2.250.1.8"))
        assert (await asked(usage, "1.2.250.1.8"))["quarantined"] is True
