"""What is paid from what was counted, by the clock of the space."""

from datetime import datetime
from typing import Any

import pytest

from services.usage.counting import national_id

from .conftest import FINESS, MARCH, Usage, act

SUN = "sun-es-volet-1"
RPPS = "10101010102"
FEBRUARY = datetime.fromisoformat("2022-02-10T08:00:00+01:00")
AUGUST = datetime.fromisoformat("2022-08-15T08:00:00+02:00")


async def get(usage: Usage, path: str, **query: Any) -> Any:
    response = await usage.http.get(f"/usage/{path}", params=query, headers=usage.headers)
    assert response.status_code == 200, response.text
    return response.json()


async def post(usage: Usage, path: str, **body: Any) -> None:
    response = await usage.http.post(f"/usage/{path}", json=body, headers=usage.headers)
    assert response.status_code == 201, response.text


async def freeze(usage: Usage, at: str) -> None:
    response = await usage.http.put(f"/s/{usage.space}/_sandbox/clock", json={"freeze": at})
    assert response.status_code == 200, response.text


async def paid(usage: Usage, **query: Any) -> Any:
    return await get(usage, f"structures/{FINESS}/payments", **{"programme": SUN, **query})


async def dossier(
    usage: Usage, programme: str = SUN, whose: str = f"structures/{FINESS}", **body: Any
) -> None:
    response = await usage.http.put(
        f"/usage/{whose}/dossiers/{programme}", json=body, headers=usage.headers
    )
    assert response.status_code == 200, response.text


async def biology(usage: Usage, good: int, all_: int, at: datetime = MARCH) -> None:
    await usage.consume(*(usage.registered(created_at=at) for _ in range(good)))
    await usage.declare(*(act(at=at) for _ in range(all_)))


class TestStructure:
    async def test_is_paid_in_the_first_window_that_it_reaches_and_once(self, usage: Usage) -> None:
        await biology(usage, 9, 20)
        await biology(usage, 11, 20, AUGUST)
        await dossier(usage, base={"biology": 60_000})

        found = await paid(usage)

        windows = {it["window"]: it for it in found["windows"]}
        assert windows["F1"]["amount"]["eur"] == "60000.00"
        assert windows["F1"]["state"] == "closed"
        assert windows["F2"]["indicators"]["SU4"]["value"] == "55.00"
        assert windows["F2"]["groups"]["biology"]["reason"] == "already_paid"
        assert found["paid"] == "60000.00"

    async def test_is_paid_at_the_rate_of_the_window_that_it_applied_for(
        self, usage: Usage
    ) -> None:
        await biology(usage, 9, 20)
        await biology(usage, 11, 20, AUGUST)
        await dossier(usage, base={"biology": 60_000}, applications={"F2": ["biology"]})

        found = await paid(usage)
        assert [it["amount"] and it["amount"]["eur"] for it in found["windows"]][:2] == [
            None, "54000.00",
        ]  # fmt: skip
        assert [it["application"]["groups"] for it in found["windows"]][:2] == [[], ["biology"]]
        assert found["windows"][1]["application"]["from"] == "2022-03-01"

    async def test_is_paid_nothing_when_a_prerequisite_is_missing(self, usage: Usage) -> None:
        await biology(usage, 9, 20)
        await dossier(usage, base={"biology": 60_000}, prerequisites={"P1": True})

        window = (await paid(usage, window="F1"))["windows"][0]
        assert window["indicators"]["SU4"]["status"] == "met"
        assert window["groups"]["biology"]["reason"] == "prerequisites"
        assert window["amount"]["eur"] == "0.00"

    async def test_is_paid_when_all_six_are_fulfilled_with_their_evidence(
        self, usage: Usage
    ) -> None:
        await biology(usage, 9, 20)
        six = {
            f"P{number}": {"fulfilled": True, "evidence_ref": f"piece-{number}.pdf"}
            for number in range(1, 6)
        }
        await dossier(usage, base={"biology": 60_000}, prerequisites={**six, "P6": True})

        found = await paid(usage, window="F1")
        assert found["windows"][0]["amount"]["eur"] == "60000.00"
        assert found["dossier"]["prerequisites"]["P1"] == {
            "fulfilled": True, "evidence_ref": "piece-1.pdf",
        }  # fmt: skip
        report = await get(
            usage, f"structures/{FINESS}/report", programme=SUN, window="F1", format="json"
        )
        assert report["dossier"]["prerequisites"]["P6"]["evidence_ref"] == ""

    async def test_is_not_paid_for_figures_that_the_dossier_gives_of_what_is_counted(
        self, usage: Usage
    ) -> None:
        """They were kept, and read by nothing."""
        response = await usage.http.put(
            f"/usage/structures/{FINESS}/dossiers/{SUN}",
            json={"figures": {"SU4": {"numerator": 900, "denominator": 1000}}},
            headers=usage.headers,
        )
        assert [(it["rule"], it["path"]) for it in response.json()["problems"]] == [
            ("DOSSIER-COUNTED", "/figures/SU4")
        ]

    async def test_has_rates_alone_without_a_dossier(self, usage: Usage) -> None:
        await biology(usage, 9, 20)
        found = await paid(usage, window="F1")
        assert found["dossier"] is None
        assert found["windows"][0]["indicators"]["SU4"]["status"] == "met"
        assert found["windows"][0]["amount"] is None

    async def test_follows_the_option_that_is_asked_for(self, usage: Usage) -> None:
        await biology(usage, 9, 20)
        await dossier(usage, base={"biology": 150_000})
        assert (await paid(usage, window="F1"))["windows"][0]["amount"]["eur"] == "100000.00"
        query = {"option": "K3:none", "allow_unverified": "true"}
        assert (await paid(usage, window="F1", **query))["windows"][0]["amount"][
            "eur"
        ] == "150000.00"

    async def test_is_refused_euros_that_are_not_verified(self, usage: Usage) -> None:
        await usage.consume(usage.registered(type_code="18748-4"))
        await usage.declare({**act(), "domain": "imaging"})
        await dossier(usage, base={"imaging": 1000})
        response = await usage.http.get(
            f"/usage/structures/{FINESS}/payments", params={"programme": SUN}, headers=usage.headers
        )
        assert (response.status_code, response.json()["error"]) == (422, "rule_unverified")
        assert (await paid(usage, window="F1", allow_unverified="true"))["windows"][0]["amount"] == {
            "eur": "1000.00", "exact": "1000", "verified": False,
        }  # fmt: skip

    async def test_keeps_dossiers_of_spaces_apart(self, usage: Usage, neighbour: Usage) -> None:
        await dossier(usage, base={"biology": 60_000})
        response = await neighbour.http.get(
            f"/usage/structures/{FINESS}/dossiers/{SUN}", headers=neighbour.headers
        )
        assert response.status_code == 404
        kept = await get(usage, f"structures/{FINESS}/dossiers/{SUN}")
        assert kept["base"] == {"biology": 60_000}

    async def test_shares_the_budget_by_the_activity_of_2019_that_was_declared(
        self, usage: Usage
    ) -> None:
        """1 of 1,000 units of the space's pool: a thousandth of 11,000,000 euros."""
        await biology(usage, 9, 20)
        for structure, units in ((FINESS, 1), ("0B0193488", 999)):
            await post(
                usage, "activity/totals", structure=structure,
                totals=[
                    {"item": "combined_activity/biology", "span": "2019", "denominator": units}
                ],
            )  # fmt: skip
        window = (await paid(usage, window="F1"))["windows"][0]
        assert window["groups"]["biology"]["steps"][0]["shown"] == "11000.00"
        assert window["amount"]["eur"] == "11000.00"

    async def test_shows_a_declared_numerator_with_its_gap_and_pays_the_observed_one(
        self, usage: Usage
    ) -> None:
        await biology(usage, 8, 20)
        await dossier(usage, base={"biology": 60_000})
        totals = [{"item": "SU4", "span": "2022-03", "numerator": 9, "denominator": 20}]
        await post(usage, "activity/totals", structure=FINESS, totals=totals)

        observed = (await paid(usage, window="F1"))["windows"][0]
        assert observed["declared"]["SU4"] == {
            "numerator": 9, "denominator": 20, "declarations": 1, "gap": 1,
        }  # fmt: skip
        assert observed["amount"]["eur"] == "0.00"
        declared = await paid(
            usage, window="F1", option="numerator:declared", allow_unverified="true"
        )
        assert declared["windows"][0]["amount"]["eur"] == "60000.00"

    @pytest.mark.parametrize("item", ["SU4", "report.validated/biology"])
    async def test_takes_a_declared_denominator_where_no_act_was_told_one_by_one(
        self, usage: Usage, item: str
    ) -> None:
        """Of the indicator, or of the kind of acts that it is a share of."""
        await usage.consume(*(usage.registered() for _ in range(9)))
        totals = [{"item": item, "span": "2022-03", "denominator": 20}]
        await post(usage, "activity/totals", structure=FINESS, totals=totals)
        found = (await paid(usage, window="F1"))["windows"][0]["indicators"]["SU4"]
        assert (found["value"], found["status"]) == ("45.00", "met")
        shown = await usage.http.get(
            "/usage/indicators/SU4",
            params={"structure": FINESS, "window": "F1"},
            headers=usage.headers,
        )
        body = shown.json()
        assert (body["value"]["percent"], body["status"]) == ("45.00", "met")
        assert body["declared"] == {
            "numerator": None, "denominator": 20, "declarations": 1, "gap": None,
        }  # fmt: skip


class TestClock:
    async def test_closes_a_window_when_it_passes_its_end(self, usage: Usage) -> None:
        """One thousand biology reports, 450 of them good: vector S01, as the clock goes on."""
        await freeze(usage, "2022-02-15T09:00:00+01:00")
        good = [usage.registered(created_at=FEBRUARY) for _ in range(450)]
        bad = [usage.registered(created_at=FEBRUARY, level="N1") for _ in range(300)]
        worse = [usage.registered(created_at=FEBRUARY, qualified=False) for _ in range(250)]
        await usage.consume(*good, *bad, *worse)
        await usage.declare(*(act(at=FEBRUARY) for _ in range(1000)))
        await dossier(usage, base={"biology": 60_000})

        during = await paid(usage)
        assert [(it["window"], it["state"]) for it in during["windows"]] == [("F1", "open")]
        assert during["windows"][0]["amount"]["eur"] == "60000.00"
        assert during["paid"] is None

        await freeze(usage, "2022-07-01T00:00:00+02:00")
        after = await paid(usage)
        assert [(it["window"], it["state"]) for it in after["windows"]] == [
            ("F1", "closed"), ("F2", "open"),
        ]  # fmt: skip
        assert after["paid"] == "60000.00"

    async def test_tells_what_is_missing_a_day_until_the_end(self, usage: Usage) -> None:
        """On 10 April, 100 days are begun and 81 are left: at an act a day, 81 are to come."""
        await freeze(usage, "2022-04-10T09:00:00+02:00")
        await usage.consume(*(usage.registered() for _ in range(20)))
        await usage.declare(*(act() for _ in range(100)))
        found = await get(usage, f"structures/{FINESS}/missing", programme=SUN)
        assert found["days"] == {"elapsed": 100, "remaining": 81}
        assert found["indicators"]["SU4"]["targets"] == [
            {
                "target": 45, "missing_now": 25, "expected_acts": 81, "needed_by_the_end": 62,
                "needed_per_day": 1, "reachable": True,
            }
        ]  # fmt: skip


class TestProfessional:
    async def test_has_its_attestations_counted(self, usage: Usage) -> None:
        await post(
            usage, "activity/coordinated-practice", rpps=RPPS, forme="MSP",
            date_adhesion="2022-01-01",
        )  # fmt: skip
        await post(usage, "activity/sas", rpps=RPPS, via="CABINET", du="2022-05-01")
        found = await get(
            usage, f"professionals/{RPPS}/payments", programme="forfait-structure-2022"
        )
        indicators = found["windows"][0]["indicators"]
        assert indicators["V1-6"]["status"] == indicators["SAS"]["status"] == "met"
        assert indicators["SAS"]["attested"] is True

    async def test_is_paid_each_year_of_donum_by_what_is_stated_of_that_year(
        self, usage: Usage
    ) -> None:
        """The rates of 2028 are not those of 2026, nor do they change what was closed."""
        await freeze(usage, "2029-02-01T09:00:00+01:00")
        met = {code: {"attained": "met"} for code in ("OPTION-1", "OPTION-2", "OPTION-3")}

        def year(rate: int) -> dict[str, Any]:
            rates = dict.fromkeys(("DCMT", "FSE", "PSE", "AAT"), rate)
            return {"SOCLE-1": {"attained": "met"}, "SOCLE-2": {"rates": rates}}

        whose = f"professionals/{RPPS}"
        await dossier(
            usage, "donum", whose, figures=met, by_window={"2026": year(60), "2028": year(79)}
        )
        for window, points in (("2026", 420), ("2028", 0)):
            found = await get(
                usage, f"{whose}/payments", programme="donum", window=window,
                allow_unverified="true",
            )  # fmt: skip
            assert found["windows"][0]["points"] == points
        wrong = {"2030": {}, "2026": {"SU4": {"attained": "met"}}}
        response = await usage.http.put(
            f"/usage/{whose}/dossiers/donum", json={"by_window": wrong}, headers=usage.headers
        )
        assert {it["path"] for it in response.json()["problems"]} == {
            "/by_window/2030", "/by_window/2026/SU4",
        }  # fmt: skip

    async def test_is_paid_donum_by_an_attestation_without_figures(self, usage: Usage) -> None:
        await freeze(usage, "2027-02-01T09:00:00+01:00")
        whose = f"professionals/{RPPS}"
        rates = dict.fromkeys(("DCMT", "FSE", "PSE", "AAT"), 60)
        stated = {
            code: {"attained": "met"} for code in ("SOCLE-1", "OPTION-1", "OPTION-2", "OPTION-3")
        }
        await dossier(usage, "donum", whose, figures={**stated, "SOCLE-2": {"rates": rates}})
        path = f"/usage/{whose}/attainments/donum/2026"
        await usage.http.put(path, json={"figures": {}}, headers=usage.headers)
        for action, body in (
            ("deposer", {"function": "Médecin", "attested": True}),
            ("instruire", {"authority": "CNAM", "seed": "1"}),
            ("valider", {"authority": "CNAM"}),
            ("payer", {"step": "solde"}),
        ):
            response = await usage.http.post(f"{path}/{action}", json=body, headers=usage.headers)
            assert response.status_code == 200, response.text
        assert response.json()["paid"] == "2940.00"

    async def test_is_paid_points_when_volet_1_is_attested(self, usage: Usage) -> None:
        acts = [
            {
                "kind": "consultation.done",
                "professional": RPPS,
                "act_id": f"C{number}",
                "act_at": MARCH.isoformat(),
            }
            for number in range(10)
        ]
        response = await usage.declare(*acts)
        assert response.status_code == 201, response.text
        whose, programme = f"professionals/{RPPS}", "forfait-structure-2022"
        attested = {f"V1-{number}": {"attained": "met"} for number in range(1, 7)}
        await dossier(usage, programme, whose, figures=attested)

        found = await get(usage, f"{whose}/payments", programme=programme)

        window = found["windows"][0]
        assert found["professional"]["id"] == national_id(RPPS)
        assert window["indicators"]["DMP"]["denominator"] == 10
        assert (window["points"], window["amount"]["eur"]) == (400, "2800.00")


class TestMissing:
    async def test_is_told_in_whole_documents(self, usage: Usage) -> None:
        await biology(usage, 3, 20)
        found = await get(usage, f"structures/{FINESS}/missing", programme=SUN, window="F1")
        assert found["indicators"]["SU4"]["targets"] == [
            {
                "target": 45, "missing_now": 6, "expected_acts": 0, "needed_by_the_end": None,
                "needed_per_day": None, "reachable": False,
            }
        ]  # fmt: skip


class TestRefusals:
    @pytest.mark.parametrize(
        ("path", "query", "status", "error"),
        [
            (f"structures/{FINESS}/payments", {"programme": "nothing"}, 404, "programme_unknown"),
            (f"structures/{FINESS}/payments", {"programme": SUN, "window": "F9"}, 404, "window_unknown"),
            (f"structures/{FINESS}/payments", {"programme": "vsm"}, 400, "beneficiary"),
            (f"structures/{FINESS}/payments", {"programme": SUN, "option": "K3"}, 400, "option_unknown"),
            (f"structures/{FINESS}/payments", {"programme": SUN, "option": "K3:x"}, 400, "option_unknown"),
            ("structures/9B0000009/payments", {"programme": SUN}, 404, "structure_unknown"),
            ("structures/123/payments", {"programme": SUN}, 400, "beneficiary"),
            ("professionals/123/payments", {"programme": "vsm"}, 400, "beneficiary"),
            ("people/123/payments", {"programme": "vsm"}, 400, "invalid_request_body"),
            (f"structures/{FINESS}/missing", {"programme": SUN, "acts_per_day": "x"}, 400, "invalid_request_body"),
            (f"structures/{FINESS}/dossiers/{SUN}", {}, 404, "dossier_unknown"),
        ],
    )  # fmt: skip
    async def test_say_why(
        self, usage: Usage, path: str, query: dict[str, str], status: int, error: str
    ) -> None:
        response = await usage.http.get(f"/usage/{path}", params=query, headers=usage.headers)
        assert (response.status_code, response.json()["error"]) == (status, error)

    async def test_name_everything_in_a_dossier_that_the_programme_does_not_have(
        self, usage: Usage
    ) -> None:
        body = {
            "base": {"pharmacy": 1},
            "prerequisites": {"P9": True},
            "applications": {"F9": ["biology"], "F1": ["pharmacy"]},
        }
        response = await usage.http.put(
            f"/usage/structures/{FINESS}/dossiers/{SUN}", json=body, headers=usage.headers
        )
        assert (response.status_code, response.json()["error"]) == (400, "dossier_refused")
        assert len(response.json()["problems"]) == 4
