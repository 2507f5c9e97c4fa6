"""Numbers that nobody foresaw: answered, exact, and never by a 5xx."""

import random
from typing import Any

import httpx
import pytest

from .conftest import FINESS, Usage
from .test_payments import AUGUST, RPPS, SUN, biology, dossier, freeze, get, paid, post


async def answer(usage: Usage, path: str, **query: Any) -> httpx.Response:
    return await usage.http.get(f"/usage/{path}", params=query, headers=usage.headers)


class TestTotals:
    async def test_of_many_huge_months_are_added_up(self, usage: Usage) -> None:
        totals = [
            {"item": "SU4", "span": f"2022-{month:02}", "numerator": 10**12, "denominator": 10**12}
            for month in range(1, 7)
        ]
        await post(usage, "activity/totals", structure=FINESS, totals=totals)
        await dossier(usage, base={"biology": 60_000})
        window = (await paid(usage, window="F1", option="numerator:declared"))["windows"][0]
        assert window["indicators"]["SU4"]["numerator"] == 6 * 10**12
        assert window["amount"]["eur"] == "60000.00"

    async def test_of_a_year_stand_for_its_months(self, usage: Usage) -> None:
        """A year that was told in months too would otherwise count twice."""
        spans = {"2022": 1200, "2022-02": 100, "2022-12": 100, "2023-01": 7}
        totals = [
            {"item": "DMP", "span": span, "numerator": number, "denominator": number}
            for span, number in spans.items()
        ]
        await post(usage, "activity/totals", professional=RPPS, totals=totals)
        found = await get(
            usage, f"professionals/{RPPS}/payments", programme="forfait-structure-2022", euros=False
        )
        told = found["windows"][0]["declared"]["DMP"]
        assert (told["denominator"], told["declarations"]) == (1200, 1)

    async def test_of_combined_activity_are_of_a_year(self, usage: Usage) -> None:
        total = {"item": "combined_activity/biology", "span": "2019-03", "denominator": 5}
        response = await usage.http.post(
            "/usage/activity/totals",
            json={"structure": FINESS, "totals": [total]},
            headers=usage.headers,
        )
        [problem] = response.json()["problems"]
        assert (response.status_code, problem["rule"], problem["expected"]) == (
            400, "TOTAL-SPAN", "2019",
        )  # fmt: skip


class TestCap:
    async def test_is_not_exceeded_by_the_cents_of_rounding(self, usage: Usage) -> None:
        """50,000.005 is paid as 50,000.01: what is left of the cap is less by that cent."""
        await biology(usage, 9, 20)
        await usage.consume(usage.registered(type_code="18748-4", level="N1", created_at=AUGUST))
        imaging = {"kind": "report.validated", "domain": "imaging", "structure": FINESS,
                   "act_id": "I1", "act_at": AUGUST.isoformat()}  # fmt: skip
        await usage.declare(imaging)
        await dossier(
            usage,
            base={"biology": "50000.005", "imaging": 100_000},
            applications={"F1": ["biology"], "F2": ["imaging"]},
        )
        found = await paid(usage, allow_unverified=True)
        amounts = [it["amount"]["eur"] for it in found["windows"] if it["amount"]]
        assert amounts[:2] == ["50000.01", "49999.99"]
        assert found["paid"] == "100000.00"


class TestDossier:
    async def test_may_be_full_of_payments(self, usage: Usage) -> None:
        await biology(usage, 9, 20)
        before = [{"window": "F1", "group": "imaging", "amount": 1}] * 100
        await dossier(usage, base={"biology": 60_000}, paid=before)
        found = await paid(usage)
        assert [it["amount"]["eur"] for it in found["windows"]][:2] == ["60000.00", "0.00"]


class TestForecast:
    async def missing(self, usage: Usage, **query: Any) -> Any:
        path = f"structures/{FINESS}/missing"
        return (await get(usage, path, programme=SUN, **query))["indicators"]["SU4"]["targets"][0]

    async def test_of_a_window_without_activity_knows_no_rhythm(self, usage: Usage) -> None:
        await freeze(usage, "2022-03-01T12:00:00+01:00")
        found = await self.missing(usage, window="F1")
        assert found == {
            "target": 45, "missing_now": 0, "expected_acts": None, "needed_by_the_end": None,
            "needed_per_day": None, "reachable": True,
        }  # fmt: skip
        found = await self.missing(usage, window="F1", acts_per_day="10")
        assert (found["expected_acts"], found["needed_by_the_end"]) == (1210, 545)

    async def test_of_a_closed_window_is_out_of_reach(self, usage: Usage) -> None:
        await biology(usage, 8, 20)
        await freeze(usage, "2022-06-30T23:59:59+02:00")
        assert (await self.missing(usage, window="F1"))["reachable"] is True
        await freeze(usage, "2022-07-01T00:00:00+02:00")
        found = await self.missing(usage, window="F1", acts_per_day="999999999.999999")
        assert (found["missing_now"], found["expected_acts"], found["reachable"]) == (1, 0, False)

    async def test_of_a_target_that_is_met_goes_on_with_the_acts_to_come(
        self, usage: Usage
    ) -> None:
        await biology(usage, 20, 20)
        await freeze(usage, "2022-03-31T12:00:00+02:00")
        found = await self.missing(usage, window="F1")
        assert (found["missing_now"], found["needed_by_the_end"]) == (0, 0)
        found = await self.missing(usage, window="F1", acts_per_day="100")
        assert found["needed_by_the_end"] == 4084  # 45 per cent of 9,120, less the 20

    @pytest.mark.parametrize("rhythm", ["-1", "1e9", "NaN", "1,5", "9" * 12, "\u0661", ""])
    async def test_refuses_a_rhythm_that_is_no_number(self, usage: Usage, rhythm: str) -> None:
        response = await answer(
            usage, f"structures/{FINESS}/missing", programme=SUN, acts_per_day=rhythm
        )
        assert response.status_code == 400, response.text


class TestNation:
    async def test_is_told_what_it_lacks_at_any_rhythm(self, usage: Usage) -> None:
        await usage.consume(*(usage.registered() for _ in range(8)))
        await freeze(usage, "2022-12-21T12:00:00+01:00")

        async def lacks(**query: Any) -> Any:
            found = await get(usage, "national/missing", **query)
            return found["indicators"]["DOCUMENTS"]["targets"][0]

        assert await lacks() == {
            "target": 500_000_000, "missing_now": 499_999_992, "expected_acts": 1,
            "needed_by_the_end": 499_999_992, "needed_per_day": 50_000_000, "reachable": True,
        }  # fmt: skip
        assert (await lacks(documents_per_day="0"))["expected_acts"] == 0
        assert (await lacks(documents_per_day="60000000"))["expected_acts"] == 600_000_000
        assert (await lacks(window="2023"))["expected_acts"] is None
        await freeze(usage, "2023-01-01T00:00:00+01:00")
        assert (await lacks(window="2022"))["reachable"] is False


class TestFiles:
    """A good file, damaged somewhere: everything of it counts, or nothing does and it is said why."""

    async def test_that_are_damaged_count_whole_or_not_at_all(self, usage: Usage) -> None:
        rng = random.Random(20221231)
        lines = [
            f"compte rendu;Biologie;{FINESS};A{number};{1 + number % 28:02}/03/2022 14:05"
            for number in range(20)
        ]
        good = "\r\n".join(["Type;Domaine;FINESS;N° acte;Date", *lines]).encode("cp1252")
        told = 0
        for _ in range(60):
            content = bytearray(good)
            for _ in range(rng.randint(1, 4)):
                at = rng.randrange(len(content))
                piece = rng.choice(
                    [b"", b"\0", b'"', b"\xff\xfe", b";", b"\r", b"\xe9", b"=", b"PK\x03\x04"]
                )
                content[at : at + rng.randint(0, 3)] = piece
            response = await usage.http.post(
                "/usage/activity",
                content=bytes(content),
                headers={**usage.headers, "Content-Type": "text/csv"},
            )
            assert response.status_code in (201, 400, 422), response.text
            if response.status_code == 201:
                told += response.json()["declared"]
            else:
                assert response.json().get("problems") or response.json()["error"] == "file_empty"
            assert await usage.events_told() == told
