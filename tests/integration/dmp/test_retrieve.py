"""ITI-68: the bytes, as they were deposited."""

import base64

import pytest

from .conftest import FHIR, Dmp, rules
from .samples import Document, document


@pytest.fixture
def given() -> Document:
    return document()


@pytest.fixture
async def entry(dmp: Dmp, given: Document) -> str:
    return await dmp.deposit(given)


class TestRetrieve:
    @pytest.mark.parametrize(
        "accept",
        [
            "*/*",
            "text/xml",
            "application/xml",
            "text/*",
            "image/png, text/xml;q=0.9",
            "application/fhir+json;q=0.5, text/xml",
            "application/fhir+json;q=0, */*",
        ],
    )
    async def test_gives_the_bytes_when_xml_is_accepted(
        self, dmp: Dmp, entry: str, given: Document, accept: str
    ) -> None:
        response = await dmp.get(f"/Binary/{entry}", Accept=accept)

        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/xml")
        assert response.content == given.content

    @pytest.mark.parametrize("accept", ["application/fhir+json", "application/json"])
    async def test_gives_a_binary_resource_when_only_fhir_is_accepted(
        self, dmp: Dmp, entry: str, given: Document, accept: str
    ) -> None:
        response = await dmp.get(f"/Binary/{entry}", Accept=accept)

        binary = response.json()
        assert response.headers["content-type"].startswith("application/fhir+json")
        assert (binary["resourceType"], binary["id"]) == ("Binary", entry)
        assert binary["contentType"] == "text/xml"
        assert base64.b64decode(binary["data"]) == given.content

    async def test_tells_a_head_what_a_get_would_and_traces_no_reading(
        self, dmp: Dmp, entry: str
    ) -> None:
        for path in (f"/Binary/{entry}", f"/DocumentReference/{entry}", "/metadata"):
            head = await dmp.http.head(f"{FHIR}{path}", headers=dmp.headers)
            assert (head.status_code, head.content) == (200, b"")
            assert "consulted" not in str(await dmp.told())
        for path in (f"/DocumentReference/{entry}", f"/Binary/{entry}"):
            head = await dmp.http.head(f"{FHIR}{path}", headers=dmp.headers)
            get = await dmp.get(path)
            for name in ("content-type", "content-length", "etag"):
                assert head.headers.get(name) == get.headers.get(name)
        assert str(await dmp.told()).count("document.consulted") == 1
        missing = await dmp.http.head(f"{FHIR}/Binary/42", headers=dmp.headers)
        assert (missing.status_code, missing.content) == (404, b"")

    async def test_answers_406_when_neither_is_accepted(self, dmp: Dmp, entry: str) -> None:
        response = await dmp.get(f"/Binary/{entry}", Accept="image/png")

        assert response.status_code == 406
        assert rules(response).keys() == {"not_acceptable"}

    @pytest.mark.parametrize("unknown", ["01936a5c-7a10-7c3e-9b52-4f1d2c3b5a69", "42"])
    async def test_answers_404_when_the_id_is_unknown(self, dmp: Dmp, unknown: str) -> None:
        response = await dmp.get(f"/Binary/{unknown}")

        assert response.status_code == 404
        assert rules(response).keys() == {"document_unknown"}

    async def test_answers_404_when_the_document_is_of_another_space(
        self, dmp: Dmp, entry: str, neighbour: Dmp
    ) -> None:
        response = await neighbour.get(f"/Binary/{entry}")

        assert response.status_code == 404
        assert rules(response).keys() == {"document_unknown"}

    async def test_gives_each_its_own_bytes_when_a_large_one_is_among_them(self, dmp: Dmp) -> None:
        small, large = document(seed=3), document(seed=4)
        padding = b"<!--" + b"x" * 3_000_000 + b"-->"
        large = Document(large.content + padding, large.unique_id)
        ids = [await dmp.deposit(given) for given in (small, large)]

        contents = [(await dmp.get(f"/Binary/{entry}")).content for entry in ids]

        assert contents == [small.content, large.content]
