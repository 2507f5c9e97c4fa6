"""SONS over the API: products, the software of a beneficiary, and the prerequisite that follows from it."""

from typing import Any

import httpx
import pytest

from .conftest import FINESS, Usage
from .test_payments import dossier, freeze, get

RPPS = "10101010102"
PROGRAMME = "forfait-structure-2023"
VOLET_1 = {
    "V1-1": {"attained": "met"},
    "V1-2": {"attained": "met"},
    "V1-3": {"numerator": 3, "denominator": 4},
    "V1-4": {"attained": "met"},
}


def product(**changes: Any) -> dict[str, Any]:
    version = {
        "version": "5.2",
        "published_on": "2022-05-02",
        "referenced": [{"wave": "vague-1", "from": "2022-06-10"}],
        "certifications": ["LAP", "SESAM-VITALE-AVENANT-8"],
    }
    return {
        "name": "Cabinet Exemple", "vendor": "Éditeur Exemple", "couloir": "medecine-de-ville",
        "category": "LGC", "versions": [{**version, **changes}],
    }  # fmt: skip


async def put(usage: Usage, path: str, body: Any) -> httpx.Response:
    return await usage.http.put(f"/usage/{path}", json=body, headers=usage.headers)


async def equip(usage: Usage, version: dict[str, Any] | None = None, **days: str) -> None:
    response = await put(usage, "sons/products/cabinet-exemple", product(**(version or {})))
    assert response.status_code == 200, response.text
    used = {"product": "cabinet-exemple", "version": "5.2", "installed_on": "2023-03-01", **days}
    response = await put(usage, f"professionals/{RPPS}/software", {"software": [used]})
    assert response.status_code == 200, response.text


async def window(usage: Usage, **query: Any) -> Any:
    found = await get(
        usage, f"professionals/{RPPS}/payments", programme=PROGRAMME, window="2023", **query
    )
    return found["windows"][0]


class TestCalendar:
    async def test_is_shown_with_what_has_passed_by_the_clock_of_the_space(
        self, usage: Usage
    ) -> None:
        for now, passed in (
            ("2022-11-30T12:00:00+01:00", False),
            ("2022-12-01T00:00:00+01:00", True),
        ):
            await freeze(usage, now)
            town = (await get(usage, "sons"))["couloirs"]["medecine-de-ville"]
            ordered = town["waves"]["vague-1"]["milestones"]["ordered_by"]
            assert (ordered["day"], ordered["passed"]) == ("2022-11-30", passed)
            assert ordered["former"][0]["day"] == "2022-07-15"
            assert ordered["confidence"] == "seed"


class TestProducts:
    async def test_are_listed_by_category_and_by_day_of_referencing(
        self, usage: Usage, neighbour: Usage
    ) -> None:
        await equip(usage)
        assert [it["product"] for it in await get(usage, "sons/products", category="LGC")] == [
            "cabinet-exemple"
        ]
        assert await get(usage, "sons/products", category="RIS") == []
        assert await get(usage, "sons/products", referenced_on="2022-06-09") == []
        found = await get(usage, "sons/products", referenced_on="2022-06-10")
        assert found[0]["versions"][0]["version"] == "5.2"
        assert await get(neighbour, "sons/products") == []

    async def test_are_refused_with_every_problem(self, usage: Usage) -> None:
        wrong = product(referenced=[{"wave": "vague-9", "from": "2022-06-10"}]) | {
            "category": "RIS"
        }
        response = await put(usage, "sons/products/x", wrong)
        assert (response.status_code, response.json()["error"]) == (400, "product_refused")
        assert [it["rule"] for it in response.json()["problems"]] == ["SONS-CATEGORY", "SONS-WAVE"]

    async def test_are_not_told_that_a_list_is_empty_whose_item_is_wrong(
        self, usage: Usage
    ) -> None:
        response = await put(usage, "sons/products/x", product(certifications=["CE"]))
        assert [it["path"] for it in response.json()["problems"]] == [
            "/body/versions/0/certifications/0"
        ]
        empty = await put(usage, "sons/products/x", product() | {"versions": []})
        assert [it["expected"] for it in empty.json()["problems"]] == ["min_length 1"]

    async def test_warn_of_a_referencing_after_its_deadline(self, usage: Usage) -> None:
        late = product(referenced=[{"wave": "vague-1", "from": "2022-07-01"}])
        response = await put(usage, "sons/products/x", late)
        assert response.status_code == 200
        assert [it["rule"] for it in response.json()["warnings"]] == ["SONS-LATE"]

    async def test_are_forgotten_when_asked(self, usage: Usage) -> None:
        await equip(usage)
        path = "/usage/sons/products/cabinet-exemple"
        for status in (204, 404):
            response = await usage.http.delete(path, headers=usage.headers)
            assert response.status_code == status
        found = await get(usage, f"professionals/{RPPS}/software")
        assert found["software"][0]["known"] is False


class TestSoftware:
    async def test_is_of_products_that_are_declared(self, usage: Usage) -> None:
        await equip(usage)
        body = {
            "software": [
                {"product": "nothing", "version": "1"},
                {"product": "cabinet-exemple", "version": "9", "proven_on": "2023-01-01"},
                {"product": "cabinet-exemple", "version": "9"},
            ]
        }
        response = await put(usage, f"structures/{FINESS}/software", body)
        assert (response.status_code, response.json()["error"]) == (400, "software_refused")
        assert [it["rule"] for it in response.json()["problems"]] == [
            "SONS-PRODUCT", "SONS-VERSION", "SONS-VERSION", "SONS-PROOF", "SONS-TWICE",
        ]  # fmt: skip

    async def test_shows_its_deadlines_and_whether_it_is_referenced_on_a_day(
        self, usage: Usage
    ) -> None:
        await equip(usage, ordered_on="2022-12-01")
        found = (await get(usage, f"professionals/{RPPS}/software", on="2023-03-01"))["software"][0]
        assert (found["in_use"], found["referenced"], found["latest"]) == (True, True, True)
        assert {it["step"]: it["status"] for it in found["deadlines"]} == {
            "ordered_by": "missed", "installed_by": "kept", "proven_by": "missed",
        }  # fmt: skip


class TestPrerequisite:
    async def test_is_attested_alone_where_no_software_is_declared(self, usage: Usage) -> None:
        await dossier(usage, PROGRAMME, f"professionals/{RPPS}", figures=VOLET_1)
        found = await window(usage)
        assert found["compared"]["V1-1"]["decides"] == "attested"
        assert found["compared"]["V1-1"]["derived"] is None
        assert found["amount"]["eur"] == "1960.00"

    async def test_follows_from_the_software_without_any_attestation(self, usage: Usage) -> None:
        await equip(usage)
        rest = {code: VOLET_1[code] for code in ("V1-3", "V1-4")}
        await dossier(usage, PROGRAMME, f"professionals/{RPPS}", figures=rest)
        assert (await window(usage))["amount"]["eur"] == "1960.00"

    @pytest.mark.parametrize(
        ("version", "days", "reason"),
        [
            ({}, {"installed_on": "2024-02-01"}, "not_in_use"),
            ({"referenced": [{"wave": "vague-1", "from": "2022-06-10", "to": "2023-06-01"}]}, {}, "not_referenced"),
            ({"certifications": ["SESAM-VITALE-AVENANT-8"]}, {}, "not_certified"),
        ],
    )  # fmt: skip
    async def test_fails_the_volet_though_it_is_attested_and_shows_the_gap(
        self, usage: Usage, version: dict[str, Any], days: dict[str, str], reason: str
    ) -> None:
        await equip(usage, version, **days)
        await dossier(usage, PROGRAMME, f"professionals/{RPPS}", figures=VOLET_1)

        found = await window(usage)
        compared = found["compared"]["V1-1"]
        assert compared["attested"] == {"attained": "met"}
        assert compared["derived"]["attained"] == "not_met"
        assert reason in [part["reason"] for part in compared["derived"]["parts"]]
        assert (compared["gap"], compared["decides"]) == (True, "derived")
        assert found["amount"]["eur"] == "0.00"

        attested = await window(usage, option="software:attested", allow_unverified="true")
        assert attested["amount"]["eur"] == "1960.00"
        assert attested["compared"]["V1-1"]["decides"] == "attested"

    async def test_is_judged_on_the_day_that_the_option_names(self, usage: Usage) -> None:
        """Proof was taken until 31 January 2024; the end of the year is the other answer."""
        await equip(usage, installed_on="2024-01-15")
        await dossier(usage, PROGRAMME, f"professionals/{RPPS}", figures=VOLET_1)
        assert (await window(usage))["compared"]["V1-1"]["derived"]["on"] == "2024-01-31"
        assert (await window(usage))["amount"]["eur"] == "1960.00"
        strict = await window(usage, option="proof-of-software:year-end", allow_unverified="true")
        assert strict["compared"]["V1-1"]["derived"]["on"] == "2023-12-31"
        assert strict["amount"]["eur"] == "0.00"

    async def test_stands_in_the_report(self, usage: Usage) -> None:
        await equip(usage, installed_on="2024-02-01")
        await dossier(usage, PROGRAMME, f"professionals/{RPPS}", figures=VOLET_1)
        response = await usage.http.get(
            f"/usage/professionals/{RPPS}/report",
            params={"programme": PROGRAMME, "window": "2023", "format": "csv"},
            headers=usage.headers,
        )
        assert response.status_code == 200, response.text
        pdf = await usage.http.get(
            f"/usage/professionals/{RPPS}/report",
            params={"programme": PROGRAMME, "window": "2023", "format": "pdf"},
            headers=usage.headers,
        )
        assert pdf.content.startswith(b"%PDF-")

    async def test_of_a_structure_counts_with_the_other_prerequisites(self, usage: Usage) -> None:
        """A space's own rule file may derive a prerequisite of SUN-ES too."""
        rules = await get(usage, "rules/sun-es-volet-1")
        rules["version"] = "ours"
        rules["prerequisites"]["P4"]["software"] = {
            "couloirs": ["medecine-de-ville"], "source": "ours", "confidence": "source",
        }  # fmt: skip
        assert (await put(usage, "rules/sun-es-volet-1", rules)).status_code == 201
        await usage.consume(*(usage.registered() for _ in range(9)))
        totals = {
            "structure": FINESS,
            "totals": [{"item": "SU4", "span": "2022-03", "denominator": 20}],
        }
        await usage.http.post("/usage/activity/totals", json=totals, headers=usage.headers)
        await dossier(usage, base={"biology": 60_000})
        await equip(usage)

        async def f1() -> Any:
            query = {"programme": "sun-es-volet-1", "window": "F1"}
            return (await get(usage, f"structures/{FINESS}/payments", **query))["windows"][0]

        assert (await f1())["amount"]["eur"] == "60000.00"
        used = {"product": "cabinet-exemple", "version": "5.2", "installed_on": "2022-07-01"}
        await put(usage, f"structures/{FINESS}/software", {"software": [used]})
        found = await f1()
        assert found["groups"]["biology"]["reason"] == "prerequisites"
        assert found["compared"]["P4"]["derived"]["on"] == "2022-06-30"
        used["installed_on"] = "2022-06-30"
        await put(usage, f"structures/{FINESS}/software", {"software": [used]})
        assert (await f1())["amount"]["eur"] == "60000.00"
