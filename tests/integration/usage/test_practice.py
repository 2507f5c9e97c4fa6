"""E-prescriptions, FSE with ApCV, SAS, coordinated practice and totals, as software declares them."""

from typing import Any, ClassVar

import pytest

from services.usage.counting import declared
from services.usage.domain.measures import Beneficiary

from .conftest import FINESS, MARCH, Usage, act
from .test_activity import PATIENT, RPPS, YEAR, acts, acts_with, counted, posted

APCV = {
    "contexte_id_hash": "0" * 64, "mode": "QR", "valide_du": "2022-03-15T07:50:00Z",
    "valide_au": "2022-03-15T08:20:00Z",
}  # fmt: skip
FSE = {"fse_id": "F1", "rpps": RPPS, "act_at": MARCH.isoformat(), "support": "APCV", "apcv": APCV}
PRESCRIPTION = {
    "prescription_id": "P1", "rpps": RPPS, "prescrite_le": MARCH.isoformat(), "numero": "ABC123",
    "patient": PATIENT,
}  # fmt: skip


async def refused(usage: Usage, path: str, body: Any) -> tuple[int, list[tuple[str, str]]]:
    response = await usage.http.post(f"/usage/activity/{path}", json=body, headers=usage.headers)
    problems = response.json().get("problems", [])
    return response.status_code, [(it["rule"], it["path"]) for it in problems]


class TestPrescriptions:
    ISSUED = acts("prescription.issued")
    WITH_NUMBER = acts_with("prescription.issued", "eprescription")

    async def test_count_on_both_sides_with_a_number_and_below_without(self, usage: Usage) -> None:
        await posted(usage, "prescriptions", PRESCRIPTION)
        await posted(usage, "prescriptions", PRESCRIPTION)
        paper = {**PRESCRIPTION, "prescription_id": "P2", "numero": None,
                 "opposition_dematerialisation": True}  # fmt: skip
        await posted(usage, "prescriptions", paper)
        assert (await counted(usage, self.ISSUED), await counted(usage, self.WITH_NUMBER)) == (2, 1)

    async def test_that_become_electronic_are_refused_and_not_lost_in_silence(
        self, usage: Usage
    ) -> None:
        """The first telling holds: a number that came later was taken with 201, and counted nowhere."""
        await posted(usage, "prescriptions", {**PRESCRIPTION, "numero": None})
        found = await refused(usage, "prescriptions", PRESCRIPTION)
        assert found == (400, [("ACT-CONTRADICTION", "/body")])
        await posted(usage, "fse", FSE)
        paper = {**FSE, "support": "PAPIER", "apcv": None}
        assert await refused(usage, "fse", paper) == (400, [("ACT-CONTRADICTION", "/body")])
        assert await counted(usage, self.ISSUED) == 1

    async def test_leave_when_cancelled_within_the_period(self, usage: Usage) -> None:
        await posted(usage, "prescriptions", PRESCRIPTION)
        await posted(usage, "prescriptions", {**PRESCRIPTION, "annulee_le": "2022-03-20T08:00:00Z"})
        assert (await counted(usage, self.ISSUED), await counted(usage, self.WITH_NUMBER)) == (0, 0)

    @pytest.mark.parametrize(
        ("changes", "status", "found"),
        [
            ({"opposition_dematerialisation": True}, 400, ("ERX-OPPOSITION", "/body/numero")),
            ({"annulee_le": "2022-03-01T08:00:00Z"}, 400, ("ERX-DATES", "/body/annulee_le")),
            ({"prescription_id": PATIENT["matricule"]}, 422, ("ACT-NIR", "/body/prescription_id")),
            (
                {"patient": {**PATIENT, "matricule": "279035121518900"}},
                400, ("INS-MATRICULE", "/body/patient/matricule"),
            ),
        ],
    )  # fmt: skip
    async def test_are_refused_with_the_field(
        self, usage: Usage, changes: dict[str, Any], status: int, found: tuple[str, str]
    ) -> None:
        body = {**PRESCRIPTION, **changes}
        assert await refused(usage, "prescriptions", body) == (status, [found])
        assert await counted(usage, self.ISSUED) == 0


class TestFse:
    SENT = acts("fse.sent")
    WITH_APCV = acts_with("fse.sent", "apcv")

    async def test_count_by_their_support(self, usage: Usage) -> None:
        await posted(usage, "fse", FSE)
        await posted(usage, "fse", FSE)
        for number, support in ((2, "CARTE_VITALE"), (3, "SANS_VITALE")):
            body = {**FSE, "fse_id": f"F{number}", "support": support, "apcv": None}
            await posted(usage, "fse", body)
        assert (await counted(usage, self.SENT), await counted(usage, self.WITH_APCV)) == (3, 1)

    @pytest.mark.parametrize("status", ["REJETEE", "ANNULEE"])
    async def test_are_on_no_side_once_they_are_void(self, usage: Usage, status: str) -> None:
        await posted(usage, "fse", FSE)
        await posted(usage, "fse", {**FSE, "statut": status})
        assert (await counted(usage, self.SENT), await counted(usage, self.WITH_APCV)) == (0, 0)

    @pytest.mark.parametrize(
        ("changes", "status", "found"),
        [
            ({"demo": True}, 400, ("FSE-DEMO", "/body/demo")),
            ({"apcv": None}, 400, ("FSE-APCV", "/body/apcv")),
            ({"support": "CARTE_VITALE"}, 400, ("FSE-APCV", "/body/apcv")),
            ({"act_at": "2022-03-15T08:20:01Z"}, 400, ("FSE-CONTEXT", "/body/act_at")),
            ({"fse_id": PATIENT["matricule"]}, 422, ("ACT-NIR", "/body/fse_id")),
            ({"fse_id": f"FSE_{PATIENT['matricule']}-2"}, 422, ("ACT-NIR", "/body/fse_id")),
            ({"nir": "x"}, 400, ("JSON-EXTRA-FORBIDDEN", "/body/nir")),
        ],
    )
    async def test_are_refused_with_the_field(
        self, usage: Usage, changes: dict[str, Any], status: int, found: tuple[str, str]
    ) -> None:
        assert await refused(usage, "fse", {**FSE, **changes}) == (status, [found])
        assert await counted(usage, self.SENT) == 0


class TestAttestations:
    async def test_are_in_force_between_their_days(self, usage: Usage) -> None:
        sas = {"rpps": RPPS, "via": "CPTS", "cpts_finess": FINESS, "du": "2022-02-01"}
        await posted(usage, "sas", sas)
        await posted(usage, "sas", {**sas, "au": "2022-12-01"})
        await posted(
            usage, "coordinated-practice",
            {"rpps": RPPS, "forme": "MSP", "date_adhesion": "2021-01-01", "justificatif_ref": "D-1"},
        )  # fmt: skip
        expected = {
            "2022-01-31": ["coordinated"], "2022-02-01": ["coordinated", "sas"],
            "2022-12-01": ["coordinated", "sas"], "2022-12-02": ["coordinated"], "2020-12-31": [],
        }  # fmt: skip
        for day, kinds in expected.items():
            response = await usage.http.get(
                "/usage/activity/attestations",
                params={"rpps": RPPS, "on": day},
                headers=usage.headers,
            )
            assert [it["kind"] for it in response.json()] == kinds, day

    @pytest.mark.parametrize(("last", "status"), [("2022-12-31", "met"), ("2022-12-30", None)])
    async def test_count_for_the_year_on_whose_last_day_they_end(
        self, usage: Usage, last: str, status: str | None
    ) -> None:
        practice = {"rpps": RPPS, "forme": "MSP", "date_adhesion": "2021-01-01", "date_fin": last}
        await posted(usage, "coordinated-practice", practice)
        response = await usage.http.get(
            f"/usage/professionals/{RPPS}/payments",
            params={"programme": "forfait-structure-2022", "window": "2022", "euros": "false"},
            headers=usage.headers,
        )
        found = response.json()["windows"][0]["indicators"]
        assert found.get("V1-6", {}).get("status") == status

    @pytest.mark.parametrize(
        ("path", "body", "found"),
        [
            ("sas", {"via": "CPTS", "du": "2022-01-01"}, ("SAS-CPTS", "/body/cpts_finess")),
            ("sas", {"via": "MSP", "du": "2022-01-02", "au": "2022-01-01"},
             ("ATTESTATION-DAYS", "/body")),
            ("coordinated-practice", {"forme": "CLUB", "date_adhesion": "2022-01-01"},
             ("JSON-LITERAL-ERROR", "/body/forme")),
        ],
    )  # fmt: skip
    async def test_are_refused_with_the_field(
        self, usage: Usage, path: str, body: dict[str, Any], found: tuple[str, str]
    ) -> None:
        assert await refused(usage, path, {"rpps": RPPS, **body}) == (400, [found])

    async def test_keep_no_number_of_a_person_as_their_evidence(self, usage: Usage) -> None:
        said = {"rpps": RPPS, "justificatif_ref": f"dossier {PATIENT['matricule']}"}
        found = (422, [("ACT-NIR", "/body/justificatif_ref")])
        for path, body in (
            ("sas", {"via": "MSP", "du": "2022-01-02"}),
            ("coordinated-practice", {"forme": "MSP", "date_adhesion": "2022-01-01"}),
        ):
            assert await refused(usage, path, {**said, **body}) == found


class TestTotals:
    async def test_stand_beside_what_was_observed(self, usage: Usage) -> None:
        await usage.declare(act(), act(), act())
        totals = [
            {"item": "report.validated/biology", "span": "2022-03", "denominator": 5},
            {"item": "SU4", "span": "2022-03", "numerator": 450, "denominator": 1000},
            {"item": "SU4", "span": "2022-02", "numerator": 1, "denominator": 10},
        ]
        body = {"structure": FINESS, "totals": totals}
        await posted(usage, "totals", body)
        corrected = {"item": "SU4", "span": "2022-02", "numerator": 2, "denominator": 10}
        await posted(usage, "totals", {"structure": FINESS, "totals": [corrected]})

        response = await usage.http.get(
            "/usage/activity/totals", params={"structure": FINESS}, headers=usage.headers
        )
        shown = {(it["item"], it["from"]): it for it in response.json()}
        acts_of_march = shown["report.validated/biology", "2022-03-01"]
        assert acts_of_march["observed"] == {"denominator": 3}
        assert acts_of_march["gap"] == {"denominator": -2}
        assert shown["SU4", "2022-02-01"]["declared"] == {"numerator": 2, "denominator": 10}
        async with usage.database.read() as session:
            of = Beneficiary("structure", FINESS)
            total = await declared(session, usage.space, "SU4", of, YEAR)
        assert (total.numerator, total.denominator, total.months) == (452, 1010, 2)
        of_march = shown["SU4", "2022-03-01"]
        assert of_march["observed"] == {"numerator": 0, "denominator": 3}
        assert of_march["gap"] == {"numerator": -450, "denominator": -997}
        assert await usage.counted() == (0, 3)

    @pytest.mark.parametrize(
        ("item", "span", "path"),
        [
            ("SU9", "2022-03", "item"),
            ("combined_activity/surgery", "2019", "item"),
            ("combined_activity/biology", "2022", "span"),
            # Of two windows, of none, and of a programme that pays a professional.
            ("SU4", "2022", "span"),
            ("SU4", "2025-03", "span"),
            ("DMP", "2022-03", "item"),
            ("SAS", "2022-03", "item"),
        ],
    )
    async def test_that_nothing_reads_are_refused(
        self, usage: Usage, item: str, span: str, path: str
    ) -> None:
        totals = [{"item": item, "span": span, "denominator": 10}]
        status, found = await refused(usage, "totals", {"structure": FINESS, "totals": totals})
        rule = f"TOTAL-{path.upper()}"
        assert (status, found) == (400, [(rule, f"/body/totals/0/{path}")])

    @pytest.mark.parametrize("item", ["combined_activity/biology", "report.validated/biology"])
    async def test_without_the_side_that_is_read_are_refused(self, usage: Usage, item: str) -> None:
        totals = [{"item": item, "span": "2019", "numerator": 10}]
        status, found = await refused(usage, "totals", {"structure": FINESS, "totals": totals})
        assert (status, found) == (400, [("TOTAL-EMPTY", "/body/totals/0/denominator")])

    async def test_hold_the_activity_of_2019(self, usage: Usage) -> None:
        total = {"item": "combined_activity/biology", "span": "2019", "denominator": 12_345}
        await posted(usage, "totals", {"structure": FINESS, "totals": [total]})
        response = await usage.http.get(
            "/usage/activity/combined-2019", params={"structure": FINESS}, headers=usage.headers
        )
        assert response.json() == {"discharge": None, "biology": 12_345, "imaging": None}

    @pytest.mark.parametrize(
        ("body", "found"),
        [
            ({}, [("TOTAL-OWNER", "/body/structure")]),
            ({"structure": FINESS, "professional": RPPS}, [("TOTAL-OWNER", "/body/structure")]),
            ({"structure": FINESS, "totals": [{"item": "SU4", "span": "2022-03"}]},
             [("TOTAL-EMPTY", "/body/totals/0")]),
            ({"structure": FINESS, "totals": [{"item": "stay.opened", "span": "2022", "numerator": 1}]},
             [("TOTAL-ITEM", "/body/totals/0/item")]),
            ({"structure": FINESS, "totals": [{"item": "SU4", "span": "2022-13", "numerator": 1}]},
             [("JSON-STRING-PATTERN-MISMATCH", "/body/totals/0/span")]),
            ({"structure": FINESS, "totals": [{"item": "SU4", "span": "2022", "numerator": -1}]},
             [("JSON-GREATER-THAN-EQUAL", "/body/totals/0/numerator")]),
        ],
    )  # fmt: skip
    async def test_are_refused_with_the_field(
        self, usage: Usage, body: dict[str, Any], found: list[tuple[str, str]]
    ) -> None:
        totals = [{"item": "SU4", "span": "2022-03", "numerator": 1}]
        assert await refused(usage, "totals", {"totals": totals, **body}) == (400, found)

    @pytest.mark.parametrize(
        ("path", "query"),
        [
            ("totals", {}),
            ("totals", {"structure": FINESS, "from": "2022-01-01"}),
            ("totals", {"structure": FINESS, "from": "2022-01-01", "to": "9999-12-31"}),
            ("lists", {"professional": RPPS, "on": "9999-12-31"}),
            ("attestations", {"rpps": "\0"}),
        ],
    )
    async def test_are_not_shown_for_a_question_without_sense(
        self, usage: Usage, path: str, query: dict[str, str]
    ) -> None:
        response = await usage.http.get(
            f"/usage/activity/{path}", params=query, headers=usage.headers
        )
        assert response.status_code == 400


class TestVolet1:
    """Of the forfait structure, counted from the sheets beside what is attested."""

    PATH = f"professionals/{RPPS}/payments"
    QUERY: ClassVar = {"programme": "forfait-structure-2022", "window": "2022"}

    async def window(self, usage: Usage, **figures: Any) -> Any:
        if figures:
            response = await usage.http.put(
                f"/usage/professionals/{RPPS}/dossiers/forfait-structure-2022",
                json={"figures": figures}, headers=usage.headers,
            )  # fmt: skip
            assert response.status_code == 200, response.text
        response = await usage.http.get(
            f"/usage/{self.PATH}", params=self.QUERY, headers=usage.headers
        )
        assert response.status_code == 200, response.text
        return response.json()["windows"][0]

    async def sheets(self, usage: Usage) -> None:
        """Two that were sent, one of them by ApCV, and one on paper."""
        await posted(usage, "fse", FSE)
        for number, support in enumerate(("SANS_VITALE", "PAPIER")):
            body = {**FSE, "fse_id": f"T{number}", "support": support, "apcv": None}
            await posted(usage, "fse", body)

    async def test_is_observed_where_nothing_is_attested(self, usage: Usage) -> None:
        await self.sheets(usage)
        found = await self.window(usage)
        assert found["indicators"]["V1-4"]["exact"] == "200/3"
        assert found["indicators"]["V1-4"]["status"] == "met"
        compared = found["compared"]["V1-4"]
        assert (compared["attested"], compared["decides"]) == (None, "observed")
        assert compared["observed"] == {"numerator": 2, "denominator": 3}

    async def test_is_attested_with_what_was_observed_and_the_gap(self, usage: Usage) -> None:
        await self.sheets(usage)
        rate = {"numerator": 900, "denominator": 1000}
        found = await self.window(usage, **{"V1-4": rate})
        assert found["indicators"]["V1-4"]["numerator"] == 900
        compared = found["compared"]["V1-4"]
        assert compared["decides"] == "attested"
        assert compared["gap"] == {"numerator": 898, "denominator": 997}

    async def test_observes_nothing_where_no_sheet_was_told(self, usage: Usage) -> None:
        found = await self.window(usage)
        assert "V1-4" not in found["indicators"]
        assert found["compared"]["V1-4"]["observed"] is None

    async def test_sees_the_equipment_at_work_beside_its_attestation(self, usage: Usage) -> None:
        await self.sheets(usage)
        found = await self.window(usage, **{"V1-3": {"attained": "not_met"}})
        compared = found["compared"]["V1-3"]
        assert compared["observed"] == {"attained": "met"}
        assert (compared["gap"], compared["decides"]) == (True, "attested")
        assert found["indicators"]["V1-3"]["status"] == "not_met"
