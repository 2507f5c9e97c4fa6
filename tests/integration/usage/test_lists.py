"""Lists come page by page, in one order, and hold nothing of another space."""

from typing import Any

import pytest

from socle.idgen import uuid7

from .conftest import FINESS, MARCH, Usage, act
from .test_payments import dossier, get, post

SEEDED = ["0B0193488", FINESS]


async def pages(usage: Usage, path: str, limit: int) -> list[Any]:
    found, after = [], ""
    while page := await get(usage, path, after=after, limit=limit):
        found += page
        if len(page) < limit:
            break
        after = page[-1]["finess"]
    return found


async def test_structures_are_the_same_in_pages_of_any_size(usage: Usage) -> None:
    for number in range(30):
        response = await usage.http.put(
            f"/usage/structures/75{number:07}", json={"name": f"n° {number}"}, headers=usage.headers
        )
        assert response.status_code == 200
    whole = await get(usage, "structures")
    assert [it["finess"] for it in whole] == sorted(
        [*SEEDED, *(f"75{number:07}" for number in range(30))]
    )
    for limit in (1, 7, 32, 100):
        assert await pages(usage, "structures", limit) == whole


async def test_quarantine_goes_on_after_a_full_page(usage: Usage) -> None:
    numbers = [f"99{number:07}" for number in range(5)]
    await usage.consume(
        *(usage.registered(structure=it) for it in numbers), usage.registered(structure=None)
    )
    await usage.declare(*(act(it) for it in numbers[:2]))
    whole = await get(usage, "quarantine")
    assert (whole["documents"], whole["acts"], whole["next"]) == (6, 2, None)
    first = await get(usage, "quarantine", limit=3)
    assert (first["by_structure"], first["next"]) == (
        {"": 1, numbers[0]: 1, numbers[1]: 1}, numbers[1],
    )  # fmt: skip
    rest = await get(usage, "quarantine", limit=3, after=first["next"])
    assert rest["by_structure"] == dict.fromkeys(numbers[2:], 1)


async def test_documents_behind_a_figure_are_each_on_one_page(usage: Usage) -> None:
    await usage.consume(*(usage.registered(qualified=number % 2 == 0) for number in range(7)))
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = await get(
            usage, "indicators/SU4/documents", structure=FINESS, window="F1", limit=3, **after
        )
        seen += [it["chain_id"] for it in page["documents"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert len(seen) == len(set(seen)) == 7


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("structures", {}),
        ("quarantine", {}),
        ("counters", {}),
        ("activity/totals", {"structure": FINESS}),
        ("activity/lists", {"professional": "899700427885"}),
        ("activity/attestations", {"rpps": "99700427885"}),
        ("activity/combined-2019", {"structure": FINESS}),
        ("indicators/SU4", {"structure": FINESS, "window": "F1"}),
        ("indicators/SU4/documents", {"structure": FINESS, "window": "F1"}),
        (f"structures/{FINESS}/payments", {"programme": "sun-es-volet-1", "window": "F1"}),
        (f"structures/{FINESS}/missing", {"programme": "sun-es-volet-1", "window": "F1"}),
        (f"structures/{FINESS}/report", {"programme": "sun-es-volet-1", "window": "F1"}),
        ("national/report", {"window": "2022"}),
        ("rules", {}),
    ],
)
async def test_nothing_of_a_space_shows_in_another(
    usage: Usage, neighbour: Usage, path: str, query: dict[str, str]
) -> None:
    """The same question is answered alike before and after the other space has everything."""

    async def asked() -> Any:
        found = await get(neighbour, path, **query)
        return {**found, "made_at": None} if isinstance(found, dict) else found

    before = await asked()
    doctor = {"professional": "899700427885", "list": "ald"}
    patient = {"oid": "1.2.250.1.213.1.4.10", "matricule": "279035121518989"}
    await usage.consume(usage.registered(), usage.registered(structure="990000001"))
    await usage.declare(act(), act("990000002"))
    await usage.http.put(
        f"/usage/structures/{FINESS}", json={"name": str(uuid7())}, headers=usage.headers
    )
    totals = [
        {"item": "SU4", "span": "2022-03", "numerator": 1, "denominator": 2},
        {"item": "combined_activity/biology", "span": "2019", "denominator": 3},
    ]
    await post(usage, "activity/totals", structure=FINESS, totals=totals)
    await post(
        usage, "activity/lists", **doctor,
        patients=[{"patient": patient, "since": MARCH.date().isoformat()}],
    )  # fmt: skip
    await post(usage, "activity/sas", rpps="99700427885", via="CABINET", du="2022-01-01")
    await dossier(usage, base={"biology": 60_000})
    assert await asked() == before
