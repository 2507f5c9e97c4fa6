"""Reports in each of their forms, from what was counted."""

import csv
import io
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook

from .conftest import FINESS, Usage
from .test_counters import refused
from .test_payments import AUGUST, RPPS, SUN, biology, dossier, freeze


async def report(usage: Usage, path: str = f"structures/{FINESS}", **query: Any) -> httpx.Response:
    response = await usage.http.get(
        f"/usage/{path}/report", params={"programme": SUN, **query}, headers=usage.headers
    )
    assert response.status_code == 200, response.text
    return response


async def lines(usage: Usage, **query: Any) -> list[dict[str, str]]:
    text = (await report(usage, format="csv", **query)).content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
async def counted(usage: Usage) -> Usage:
    await biology(usage, 9, 20)
    await biology(usage, 2, 20, AUGUST)
    await dossier(usage, base={"biology": "60000.55"})
    return usage


class TestFigures:
    async def test_are_the_same_in_json_csv_and_xlsx(self, counted: Usage) -> None:
        found = (await report(counted)).json()
        text = await lines(counted)
        book = load_workbook(io.BytesIO((await report(counted, format="xlsx")).content))

        assert found["paid"] == "60000.55"
        assert [row["Valeur"] for row in text if row["Objet"] == "paiement"] == [
            "60000.55", "0.00", "0.00", "0.00",
        ]  # fmt: skip
        amounts = list(book["montants"].iter_rows(min_row=2, values_only=True))
        assert [row[3] for row in amounts] == [60000.55, 0, 0, 0]
        sheet = {
            row[1]: row
            for row in book["indicateurs"].iter_rows(min_row=2, max_row=6, values_only=True)
        }
        assert sheet["SU4"][3:6] == (9, 20, 45)

    async def test_are_opened_by_a_french_excel(self, counted: Usage) -> None:
        response = await report(counted, format="csv-fr")
        assert response.headers["content-disposition"].endswith('.csv"')
        text = response.content.decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
        assert [row["Valeur"] for row in rows if row["Objet"] == "paiement"][:1] == ["60000,55"]

    async def test_of_a_domain_without_acts_have_no_reason(self, counted: Usage) -> None:
        await dossier(counted, base={"biology": 1000, "imaging": 1000})
        book = load_workbook(io.BytesIO((await report(counted, format="xlsx")).content))
        rows = {row[:2]: row for row in book["domaines"].iter_rows(min_row=2, values_only=True)}
        assert rows["F1", "Imagerie"][2:4] == ("sans objet", None)
        assert rows["F2", "Biologie médicale"][2:4] == ("non atteint", "déjà payé")
        assert [it[2] for it in book["manque"].iter_rows(min_row=2, values_only=True)][:1] == [45]

    async def test_name_what_was_refused_by_rule(self, counted: Usage) -> None:
        await counted.consume(refused(counted, "DMP-INS-QUALIFIED", documents=3))
        found = (await report(counted)).json()
        assert found["refused"]["F1"] == {"documents": 3, "by_rule": {"DMP-INS-QUALIFIED": 3}}
        book = load_workbook(io.BytesIO((await report(counted, format="xlsx")).content))
        assert list(book["refus"].iter_rows(min_row=2, values_only=True)) == [
            ("F1", "Documents refusés", 3), ("F1", "règle DMP-INS-QUALIFIED", 3),
        ]  # fmt: skip
        nation = (await report(counted, "national", format="xlsx")).content
        sheet = load_workbook(io.BytesIO(nation))["familles"]
        names = {row[1] for row in sheet.iter_rows(min_row=2, values_only=True)}
        assert "Documents refusés par le DMP" in names
        assert "dmp.refused" not in names

    async def test_have_each_their_source_and_confidence(self, counted: Usage) -> None:
        found = (await report(counted)).json()
        assert found["sources"]
        for row in (*found["sources"], *await lines(counted)):
            assert row.get("source") or row.get("Source"), row
            assert row.get("confidence") or row.get("Confiance"), row

    async def test_are_drawn_by_month_against_the_target(self, counted: Usage) -> None:
        charts = (await report(counted, window="F1")).json()["charts"]
        assert [(chart["title"], chart["values"], chart["target"]) for chart in charts] == [
            ("F1 · SU4, par mois", [None, None, 45, None, None, None], 45)
        ]

    async def test_of_a_professional_are_points(self, usage: Usage) -> None:
        whose, programme = f"professionals/{RPPS}", "forfait-structure-2022"
        attested = {f"V1-{number}": {"attained": "met"} for number in range(1, 7)}
        await dossier(usage, programme, whose, figures=attested)
        found = (await report(usage, whose, programme=programme)).json()
        assert found["windows"][0]["points"] == 400
        assert (await report(usage, whose, programme=programme, format="pdf")).content[
            :4
        ] == b"%PDF"

    async def test_that_are_none_say_why(self, usage: Usage) -> None:
        await freeze(usage, "2021-12-31T23:59:59+01:00")
        content = (await report(usage, format="xlsx")).content
        first = load_workbook(io.BytesIO(content))["Rapport"]
        assert (
            "Aucune fenêtre n'a commencé à cette date ; la première est F1, "
            "du 01/01/2022 au 30/06/2022."
        ) in [cell.value for (cell,) in first.iter_rows()]
        assert len((await report(usage, format="pdf")).content) > 1000

    async def test_of_the_space_stand_against_the_national_target(self, counted: Usage) -> None:
        found = (await report(counted, "national", window="2022")).json()
        documents = found["windows"][0]["indicators"]["DOCUMENTS"]
        assert documents["numerator"] == 11
        assert documents["target"]["documents"] == 500_000_000
        families = {row["family"]: row["documents"] for row in found["families"]}
        assert (families["Biologie"], families["Autres documents"]) == (11, 0)


class TestForms:
    async def test_pdf_is_the_same_file_for_the_same_figures(self, counted: Usage) -> None:
        first, second = [await report(counted, format="pdf", window="F1") for _ in range(2)]
        assert first.headers["content-type"] == "application/pdf"
        assert first.content.startswith(b"%PDF-")
        assert len(first.content) > 5000
        assert len(first.content) == len(second.content)

    @pytest.mark.parametrize(
        ("accept", "media_type"),
        [
            ("application/pdf", "application/pdf"),
            ("text/csv, application/pdf;q=0.5", "text/csv"),
            ("text/csv;q=0.1, application/pdf", "application/pdf"),
            ("*/*", "application/json"),
            ("text/html, application/json;q=0.9", "application/json"),
        ],
    )
    async def test_follows_the_accept_header(
        self, counted: Usage, accept: str, media_type: str
    ) -> None:
        response = await counted.http.get(
            f"/usage/structures/{FINESS}/report",
            params={"programme": SUN, "window": "F1"},
            headers={**counted.headers, "Accept": accept},
        )
        assert response.headers["content-type"].startswith(media_type)

    async def test_refuses_a_form_that_it_has_not(self, usage: Usage) -> None:
        path, query = f"/usage/structures/{FINESS}/report", {"programme": SUN}
        accepting = {**usage.headers, "Accept": "text/html"}
        response = await usage.http.get(path, params=query, headers=accepting)
        assert (response.status_code, response.json()["error"]) == (406, "not_acceptable")
        response = await usage.http.get(
            path, params={**query, "format": "docx"}, headers=usage.headers
        )
        assert response.status_code == 400

    @pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)"])
    async def test_hands_spreadsheets_no_formula(self, usage: Usage, name: str) -> None:
        await usage.http.put(
            f"/usage/structures/{FINESS}", json={"name": name}, headers=usage.headers
        )
        assert all(row["Bénéficiaire"].startswith(f"'{name}") for row in await lines(usage))
        book = load_workbook(io.BytesIO((await report(usage, format="xlsx")).content))
        assert book["Rapport"]["A2"].data_type == "s"
        assert book["Rapport"]["A2"].value.startswith(f"'{name}")

    @pytest.mark.parametrize(
        "name",
        ["<b>", "<img src='file:///etc/passwd'/>", "a & b", "日本 ≠ 😀", "x\ufffe", "a\x85b"],
    )
    async def test_prints_any_name_as_it_is(self, usage: Usage, name: str) -> None:
        await usage.http.put(
            f"/usage/structures/{FINESS}", json={"name": name}, headers=usage.headers
        )
        for form in ("pdf", "xlsx", "csv", "json"):
            await report(usage, format=form, window="F1")


class TestUnverified:
    async def test_euros_are_refused_in_a_report_too(self, usage: Usage) -> None:
        await usage.consume(usage.registered(type_code="18748-4"))
        await dossier(usage, base={"imaging": 1000})
        path, query = f"/usage/structures/{FINESS}/report", {"programme": SUN, "window": "F1"}
        declared = await usage.declare(
            {
                "kind": "report.validated", "domain": "imaging", "structure": FINESS, "act_id": "I1",
                "act_at": "2022-03-15T08:00:00Z",
            }
        )  # fmt: skip
        assert declared.status_code == 201
        refused = await usage.http.get(path, params=query, headers=usage.headers)
        assert (refused.status_code, refused.json()["error"]) == (422, "rule_unverified")
        rates = await report(usage, window="F1", euros="false")
        assert rates.json()["windows"][0]["amount"] is None
        shown = await report(usage, window="F1", allow_unverified="true")
        assert shown.json()["verified"] is False


class TestLongWords:
    async def test_of_a_space_s_own_rules_fill_pages_and_break_none(self, counted: Usage) -> None:
        """A cell may be higher than a page, a word wider than its column."""
        body = (await counted.http.get(f"/usage/rules/{SUN}", headers=counted.headers)).json()
        body["version"], body["title"] = "9", "x" * 1000
        body["indicators"]["SU4"]["title"] = "mot " * 250
        body["notes"] = [{"source": "note " * 200, "confidence": "seed"}] * 50
        for option in body["options"].values():
            option["question"] = "y" * 1000
            for answer in option["alternatives"].values():
                answer["title"] = "un autre titre " * 60
        put = await counted.http.put(f"/usage/rules/{SUN}", json=body, headers=counted.headers)
        assert put.status_code in (200, 201), put.text
        await dossier(
            counted, base={"biology": 60_000},
            prerequisites={"P1": {"fulfilled": True, "evidence_ref": "z" * 200}},
        )  # fmt: skip
        for form in ("pdf", "xlsx", "csv"):
            assert len((await report(counted, format=form)).content) > 1000
