"""The reading page and the samples of the control plane."""

from typing import Any

import pytest
from lxml import etree, html

from socle.cda.samples_families import SAMPLES

from .conftest import Dmp
from .samples import ANNE, Document, document, with_content


def page(dmp: Dmp, name: str) -> str:
    return f"/s/{dmp.space}/_sandbox/dmp/documents/{name}"


class TestReadingPage:
    async def test_shows_header_and_narrative(self, dmp: Dmp) -> None:
        given = document()
        entry = await dmp.deposit(given)
        for name in (entry, given.unique_id):
            response = await dmp.http.get(page(dmp, name))
            assert response.status_code == 200
            assert response.headers["content-type"] == "text/html; charset=utf-8"
            assert "default-src 'none'" in response.headers["content-security-policy"]
        shown = html.fromstring(response.text)
        text = "".join(str(part) for part in shown.itertext())
        assert "Compte rendu d'examens biologiques" in text
        assert "EXEMPLE CAMILLE, né(e) le 28/03/1979, femme" in text
        assert ANNE.with_key in text
        assert len(shown.findall(".//table")) >= 2

    @pytest.mark.parametrize("name", ["%00", "a%00b", "a" * 400])
    async def test_a_name_that_none_can_have_is_refused(self, dmp: Dmp, name: str) -> None:
        for path in (page(dmp, name), f"{page(dmp, name)}/validation"):
            assert (await dmp.http.get(path)).status_code == 400

    async def test_shows_an_encapsulated_pdf(self, dmp: Dmp) -> None:
        entry = await dmp.deposit(document(pdf_bytes=10_000))
        shown = html.fromstring((await dmp.http.get(page(dmp, entry))).text)
        [target] = [one.get("data", "") for one in shown.findall(".//object")]
        assert target.startswith("data:application/pdf;base64,JVBERi0")

    @pytest.mark.parametrize(
        "narrative",
        [
            "<script>alert(1)</script>", '<paragraph onclick="x()">a</paragraph>',
            '<linkHtml href="javascript:x()">a</linkHtml>', '<table onmouseover="x()"><tr><td/></tr></table>',
            '<content styleCode="Bold&quot; onload=&quot;x()">a</content>', '<img src="x" onerror="x()"/>',
            '<td colspan="1 onload=x">a</td>', "&lt;script&gt;alert(1)&lt;/script&gt;",
        ],
    )  # fmt: skip
    async def test_runs_nothing_of_the_document(self, dmp: Dmp, narrative: str) -> None:
        given = document()
        content = given.changed("<text>", f"<text>{narrative}")
        answer = await dmp.provide(with_content(given.bundle, content))
        assert answer.status_code == 200, answer.text
        shown = html.fromstring((await dmp.http.get(page(dmp, given.unique_id))).text)
        assert shown.findall(".//script") == []
        names = {str(name) for one in shown.iter(etree.Element) for name in one.attrib}
        assert not {name for name in names if name.startswith("on")}
        assert not [one for one in shown.iter("a") if one.get("href", "").startswith("java")]

    async def test_is_not_there_for_nobodys_document(self, dmp: Dmp, neighbour: Dmp) -> None:
        entry = await dmp.deposit(document())
        assert (await dmp.http.get(page(dmp, "x"))).status_code == 404
        assert (await dmp.http.get(page(neighbour, entry))).status_code == 404

    async def test_refuses_what_nests_too_deeply(self, dmp: Dmp) -> None:
        given = document()
        deep = "<paragraph>" * 1500 + "</paragraph>" * 1500
        content = given.changed("<text>", f"<text>{deep}")
        assert (await dmp.provide(with_content(given.bundle, content))).status_code == 200
        response = await dmp.http.get(page(dmp, given.unique_id))
        assert response.status_code in (200, 422)


class TestSamples:
    def url(self, dmp: Dmp) -> str:
        return f"/s/{dmp.space}/_sandbox/dmp/samples"

    async def test_of_every_family_are_taken_by_the_dmp(self, dmp: Dmp) -> None:
        listed = (await dmp.http.get(self.url(dmp))).json()
        assert {one["sample"] for one in listed} == set(SAMPLES)
        for one in listed:
            body = {"oid": ANNE.oid, "matricule": ANNE.with_key, "sample": one["sample"]}
            response = await dmp.http.post(self.url(dmp), json=body)
            assert response.status_code == 200, response.text
            given = Document(response.content, "", ANNE)
            answer = await dmp.provide(given.bundle)
            assert answer.status_code == 200, answer.text
        found = (await dmp.find(("_count", "50"))).json()
        assert found["total"] == len(SAMPLES)

    @pytest.mark.parametrize(
        "change",
        [{"sample": "x"}, {"author": {"structure": "?"}}, {"matricule": "1"}, {"person": {"sex": "X"}},
         {"document_id": "abc"}],
    )  # fmt: skip
    async def test_are_refused_for_a_reason(self, dmp: Dmp, change: dict[str, Any]) -> None:
        body = {"oid": ANNE.oid, "matricule": ANNE.with_key, "sample": "biology", **change}
        response = await dmp.http.post(self.url(dmp), json=body)
        assert response.status_code == 400
