"""POST /usage/calculations: figures of one's own, through the rules in force."""

from typing import Any

import httpx
import pytest

from tests.unit.usage.vectors import VECTORS

from .conftest import Usage

UNVERIFIED: dict[str, Any] = {
    "indicators": {"SU5": {"numerator": 9, "denominator": 10}},
    "base": {"imaging": 1000},
}
SU4 = {"SU4": {"numerator": 540, "denominator": 1000}}


async def ask(usage: Usage, query: dict[str, Any] | None = None, **body: Any) -> httpx.Response:
    body = {"programme": "sun-es-volet-1", "window": "F2", "indicators": SU4, **body}
    return await usage.http.post(
        "/usage/calculations", json=body, params=query or {}, headers=usage.headers
    )


class TestAnswer:
    async def test_holds_the_amount_and_everything_that_made_it(self, usage: Usage) -> None:
        response = await ask(usage, base={"biology": 60_000})
        found = response.json()

        assert response.status_code == 200, response.text
        assert found["amount"] == {"eur": "54000.00", "exact": "54000", "verified": True}
        assert found["indicators"]["SU4"]["value"] == "54.00"
        assert found["indicators"]["SU4"]["target"]["percent"] == 54
        assert {figure["figure"] for figure in found["figures"]} == {
            "indicators/SU4/targets/F2", "money/rates/F2",
        }  # fmt: skip
        assert all(figure["source"] for figure in found["figures"])
        assert [step["shown"] for step in found["groups"]["biology"]["steps"]] == [
            "60000.00", "54000.00",
        ]  # fmt: skip
        assert found["options"]["K4"]["decides"] is False

    async def test_is_a_rate_alone_when_no_base_is_given(self, usage: Usage) -> None:
        found = (await ask(usage)).json()
        assert found["indicators"]["SU4"]["status"] == "met"
        assert found["amount"] is None

    async def test_tells_which_programme_was_in_force_before(self, usage: Usage) -> None:
        found = await ask(
            usage, programme="donum", window=None, at="2025-06-30T10:00:00Z", indicators={}
        )
        assert found.json()["status"] == "not_in_force"
        assert found.json()["before"] == "forfait-structure-2025"


class TestVectors:
    async def test_come_out_over_http_as_they_do_from_the_engine(self, usage: Usage) -> None:
        for name, cases in VECTORS.items():
            for case in cases:
                if "inputs" not in case:
                    continue
                body = {"programme": case["programme"], **case["inputs"]}
                response = await usage.http.post(
                    "/usage/calculations", json=body, headers=usage.headers
                )
                if case.get("refused"):
                    assert response.status_code == 422, name
                    response = await usage.http.post(
                        "/usage/calculations", json=body, headers=usage.headers,
                        params={"allow_unverified": "true"},
                    )  # fmt: skip
                assert response.status_code == 200, (name, response.text)
                found = response.json()
                if "amount" in case:
                    assert found["amount"]["eur"] == case["amount"], name
                if "points" in case:
                    assert found["points"] == case["points"], name
                if "status" in case:
                    assert found["indicators"][case["code"]]["status"] == case["status"], name


class TestRefusal:
    async def test_names_the_figures_that_are_not_verified(self, usage: Usage) -> None:
        response = await ask(usage, **UNVERIFIED)
        assert (response.status_code, response.json()["error"]) == (422, "rule_unverified")
        assert [p["path"] for p in response.json()["problems"]] == ["/indicators/SU5/targets/F2"]

    async def test_is_lifted_when_unverified_figures_are_asked_for(self, usage: Usage) -> None:
        found = (await ask(usage, {"allow_unverified": "true"}, **UNVERIFIED)).json()
        assert found["amount"] == {"eur": "900.00", "exact": "900", "verified": False}
        assert found["unverified"][0]["confidence"] == "assumed"

    async def test_is_never_lifted_for_a_placeholder(self, usage: Usage) -> None:
        response = await ask(
            usage, {"allow_unverified": "true"}, programme="sun-es-volet-2", window="S1-2023",
            indicators={"MSS-PRO": {"numerator": 9, "denominator": 10}}, euros=True,
        )  # fmt: skip
        assert (response.status_code, response.json()["error"]) == (422, "rule_unverified")

    @pytest.mark.parametrize(
        ("changes", "status", "error"),
        [
            ({"programme": "nothing"}, 404, "programme_unknown"),
            ({"version": "0"}, 404, "rules_unknown"),
            ({"programme": "a\0"}, 400, "invalid_request_body"),
            ({"window": "F9"}, 400, "calculation_inputs"),
            ({"options": {"K3": "nobody"}}, 400, "calculation_inputs"),
            ({"base": {"biology": "1/0"}}, 400, "invalid_request_body"),
            ({"indicators": {"SU4": {"numerator": 10**30, "denominator": 1}}}, 400, "invalid_request_body"),
            ({"at": "2022-02-01T00:00:00Z"}, 400, "invalid_request_body"),
        ],
    )  # fmt: skip
    async def test_says_why(
        self, usage: Usage, changes: dict[str, Any], status: int, error: str
    ) -> None:
        response = await ask(usage, **changes)
        assert (response.status_code, response.json()["error"]) == (status, error)
        assert response.json()["detail"]
