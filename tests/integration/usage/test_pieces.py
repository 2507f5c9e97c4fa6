"""Evidence files over the API: kept whole, changed until they are submitted, and never afterwards."""

import hashlib
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from tests.unit.usage.test_pieces import A_CSV, A_JPEG, A_PDF, A_PNG, workbook

from .conftest import FINESS, Usage

PIECES = f"/usage/structures/{FINESS}/dossiers/sun-es-volet-1/pieces"


async def put(usage: Usage, reference: str, content: bytes, **how: Any) -> httpx.Response:
    headers = {**usage.headers, "Content-Type": how.pop("media_type", "application/octet-stream")}
    return await usage.http.put(
        f"{PIECES}/{reference}", content=content, headers=headers, params=how
    )


async def get(usage: Usage, path: str = "") -> httpx.Response:
    return await usage.http.get(f"{PIECES}{path}", headers=usage.headers)


async def bodies(usage: Usage) -> int:
    async with usage.database.read() as session:
        result = await session.execute(
            text("SELECT count(*) FROM usage.piece_body WHERE space = :space"),
            {"space": usage.space},
        )
        count: int = result.scalar_one()
        return count


class TestUpload:
    @pytest.mark.parametrize(
        ("content", "media_type"),
        [
            (A_PDF, "application/pdf"),
            (A_CSV, "text/csv"),
            (A_PNG, "image/png"),
            (A_JPEG, "image/jpeg"),
            (workbook(), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ],
    )
    async def test_gives_back_the_same_bytes_as_what_they_are(
        self, usage: Usage, content: bytes, media_type: str
    ) -> None:
        stored = await put(usage, "P1", content, name="../réponse.exe")
        assert stored.status_code == 201, stored.text
        assert stored.json()["media_type"] == media_type
        assert stored.json()["sha256"] == hashlib.sha256(content).hexdigest()

        back = await get(usage, "/P1")
        assert back.content == content
        assert back.headers["content-type"].partition(";")[0] == media_type
        assert back.headers["content-disposition"].startswith('attachment; filename="r_ponse.exe.')
        assert back.headers["x-content-type-options"] == "nosniff"

    async def test_takes_a_file_of_a_form_under_a_reference_of_the_service(
        self, usage: Usage
    ) -> None:
        response = await usage.http.post(
            PIECES, files={"file": ("questionnaire.pdf", A_PDF, "application/pdf")},
            headers=usage.headers,
        )  # fmt: skip
        assert response.status_code == 201, response.text
        assert response.json()["name"] == "questionnaire.pdf"
        back = await usage.http.get(response.headers["location"], headers=usage.headers)
        assert back.content == A_PDF

    async def test_is_refused_by_its_content_whatever_it_says_it_is(self, usage: Usage) -> None:
        html = await put(usage, "P1", b"<html></html>", media_type="application/pdf")
        assert (html.status_code, html.json()["error"]) == (422, "piece_refusee")
        other = await put(usage, "P1", A_PNG, media_type="application/pdf")
        assert [it["rule"] for it in other.json()["problems"]] == ["PIECE-TYPE"]
        person = await put(usage, "P1", b"nom;nir\nx;255069999999934\n")
        assert (person.status_code, person.json()["error"]) == (422, "donnee_interdite")
        assert "255069999999934" not in person.text
        assert (await get(usage)).json() == []

    async def test_is_refused_beyond_its_limit_raw_or_in_a_form(self, usage: Usage) -> None:
        big = A_PDF[:8] + bytes(10 * 1024 * 1024) + b"%%EOF"
        raw = await put(usage, "P1", big)
        form = await usage.http.post(PIECES, files={"file": ("x.pdf", big)}, headers=usage.headers)
        assert [(it.status_code, it.json()["error"]) for it in (raw, form)] == [
            (413, "body_too_large")
        ] * 2

    @pytest.mark.parametrize(
        ("how", "status"),
        [
            ({"content": b"--x\r\nbroken", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 400),
            ({"content": b"", "headers": {"Content-Type": "multipart/form-data"}}, 400),
            ({"data": {"a": "b"}}, 422),
            ({"files": [("file", ("a.pdf", A_PDF)), ("file", ("b.pdf", A_PDF))]}, 400),
            ({"content": b""}, 422),
        ],
    )  # fmt: skip
    async def test_says_what_a_broken_body_is(
        self, usage: Usage, how: dict[str, Any], status: int
    ) -> None:
        headers = {**usage.headers, **how.pop("headers", {})}
        response = await usage.http.post(PIECES, headers=headers, **how)
        assert response.status_code == status, response.text

    async def test_is_of_a_programme_and_a_beneficiary_that_go_together(self, usage: Usage) -> None:
        for path, error in (
            (PIECES.replace("sun-es-volet-1", "vsm"), "beneficiary"),
            (PIECES.replace("sun-es-volet-1", "nothing"), "programme_unknown"),
            (PIECES.replace(FINESS, "9B0000009"), "structure_unknown"),
        ):
            response = await usage.http.post(path, content=A_PDF, headers=usage.headers)
            assert response.json()["error"] == error


class TestPieces:
    async def test_are_those_of_their_space_alone(self, usage: Usage, neighbour: Usage) -> None:
        await put(usage, "P1", A_PDF)
        assert (await get(neighbour, "/P1")).status_code == 404
        assert (await get(neighbour)).json() == []

    async def test_are_stored_once_however_often_they_are_sent(self, usage: Usage) -> None:
        first = await put(usage, "P1", A_PDF)
        again = await put(usage, "P1", A_PDF)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        await put(usage, "P2", A_PDF)
        assert await bodies(usage) == 1

    async def test_take_the_place_of_one_another_until_they_are_submitted(
        self, usage: Usage
    ) -> None:
        await put(usage, "P1", A_PDF)
        await put(usage, "P2", A_PDF)
        assert (await put(usage, "P1", A_PNG)).status_code == 200
        assert (await get(usage, "/P1")).content == A_PNG
        assert (await get(usage, "/P2")).content == A_PDF
        assert await bodies(usage) == 2
        for reference in ("P1", "P2"):
            response = await usage.http.delete(f"{PIECES}/{reference}", headers=usage.headers)
            assert response.status_code == 204
        assert await bodies(usage) == 0

    async def test_never_change_nor_go_once_submitted(self, usage: Usage) -> None:
        await put(usage, "P1", A_PDF)
        submitted = await usage.http.post(f"{PIECES}/submission", headers=usage.headers)
        assert submitted.json()[0]["submitted_at"]
        changed = await put(usage, "P1", A_PNG)
        deleted = await usage.http.delete(f"{PIECES}/P1", headers=usage.headers)
        assert [(it.status_code, it.json()["error"]) for it in (changed, deleted)] == [
            (409, "piece_immuable")
        ] * 2
        assert (await put(usage, "P1", A_PDF)).status_code == 200
        assert (await get(usage, "/P1")).content == A_PDF

        assert (await put(usage, "P2", A_PNG)).status_code == 201
        again = await usage.http.post(f"{PIECES}/submission", headers=usage.headers)
        assert again.json()[0]["submitted_at"] == submitted.json()[0]["submitted_at"]
        assert again.json()[1]["submitted_at"] is not None

    async def test_may_be_the_report_of_the_service_itself(self, usage: Usage) -> None:
        await usage.consume(usage.registered())
        response = await usage.http.post(
            f"{PIECES}/report", params={"window": "F1", "reference": "bilan"}, headers=usage.headers
        )
        assert response.status_code == 201, response.text
        back = await get(usage, "/bilan")
        assert back.content.startswith(b"%PDF-")
        assert back.headers["content-type"] == "application/pdf"

    @pytest.mark.parametrize("reference", ["..", "%2e%2e%2fx", "a%00b", "é", "x" * 61, "-x"])
    async def test_have_references_that_are_no_paths(self, usage: Usage, reference: str) -> None:
        response = await put(usage, reference, A_PDF)
        assert response.status_code in (400, 404, 405)
