"""The SAS over the API: open hours beside the attestation."""

from typing import Any

from .conftest import Usage
from .test_activity import posted
from .test_payments import freeze, get

RPPS = "10101010102"


def slots(day: int, hours: int) -> dict[str, Any]:
    """On a day of January 2024."""
    start = f"2024-01-{day:02}T10:00:00+01:00"
    return {
        "debut": start,
        "fin": f"2024-01-{day:02}T{10 + hours}:00:00+01:00",
        "securite": ["SNP"],
    }


async def sas(usage: Usage, **query: str) -> Any:
    found = await get(
        usage, f"professionals/{RPPS}/payments", programme="forfait-structure-2024",
        window="2024", **query,
    )  # fmt: skip
    window = found["windows"][0]
    return window["indicators"].get("SAS", {}).get("status"), window["compared"]["SAS"]


async def test_adds_up_the_weeks_that_are_over(usage: Usage) -> None:
    await freeze(usage, "2024-01-20T12:00:00+01:00")
    two = {"rpps": RPPS, "creneaux": [slots(2, 2), slots(9, 1), slots(17, 3)]}
    assert (await posted(usage, "sas/slots", two)) == {"declared": 3, "added": 3}
    assert (await posted(usage, "sas/slots", two)) == {"declared": 3, "added": 0}
    found = await get(usage, "activity/sas/hours", rpps=RPPS, **{"from": "2024-01-01"})
    assert [(it["from"], it["exact"]) for it in found["weeks"]] == [
        ("2024-01-01", 2), ("2024-01-08", 1),
    ]  # fmt: skip


async def test_shows_hours_beside_the_attestation_which_decides_unless_asked(usage: Usage) -> None:
    await freeze(usage, "2024-01-20T12:00:00+01:00")
    assert (await sas(usage))[1]["decides"] is None
    await posted(usage, "sas", {"rpps": RPPS, "via": "CABINET", "du": "2024-01-01"})
    status, compared = await sas(usage)
    assert (status, compared["observed"], compared["gap"]) == ("met", None, None)

    await posted(usage, "sas/slots", {"rpps": RPPS, "creneaux": [slots(2, 3), slots(9, 1)]})
    status, compared = await sas(usage)
    assert (status, compared["observed"]) == ("met", {"attained": "not_met"})
    assert (compared["gap"], compared["decides"]) == (True, "attested")
    status, compared = await sas(usage, option="sas-hours:each-week")
    assert (status, compared["decides"]) == ("not_met", "observed")
    status, compared = await sas(usage, option="sas-hours:mean")
    assert (status, compared["decides"]) == ("met", "observed")


async def test_refuses_slots_that_end_before_they_begin_or_are_of_others(
    usage: Usage, neighbour: Usage
) -> None:
    wrong = slots(2, 2) | {"fin": "2024-01-02T09:00:00+01:00"}
    response = await usage.http.post(
        "/usage/activity/sas/slots", json={"rpps": RPPS, "creneaux": [wrong, slots(3, 1)]},
        headers=usage.headers,
    )  # fmt: skip
    assert response.status_code == 400
    assert [it["path"] for it in response.json()["problems"]] == ["/body/creneaux/0/fin"]
    await posted(usage, "sas/slots", {"rpps": RPPS, "creneaux": [slots(2, 2)]})
    found = await get(
        neighbour, "activity/sas/hours", rpps=RPPS, **{"from": "2024-01-01", "to": "2024-02-01"}
    )
    assert {it["exact"] for it in found["weeks"]} == {0}
