"""The datamatrix of an identity over HTTP: who has one, and what a scan says."""

import httpx
from lxml import etree

from tests.unit.ins.test_datamatrix_picture import scan

from .records import create, qualify

ZOE_TEXT = (
    "IS010000000000000000000000S1275126322074974S21.2.250.1.213.1.4.8\x1dS3ZOE\x1dS4ADRUN\x1d"
    "S5FS631-12-1975S763220"
)


class TestDatamatrix:
    async def test_is_given_as_text_and_as_a_picture_when_the_identity_is_qualified(
        self, api: httpx.AsyncClient
    ) -> None:
        path = f"/ins/identities/{await qualify(api)}/datamatrix"
        assert (await api.get(path)).json() == {"text": ZOE_TEXT, "mention": "INS à scanner"}
        drawn = await api.get(f"{path}.svg")
        assert drawn.headers["content-type"] == "image/svg+xml"
        assert etree.fromstring(drawn.content).tag == "{http://www.w3.org/2000/svg}svg"
        assert scan(drawn.text).decode() == ZOE_TEXT

    async def test_is_refused_while_the_identity_is_not_qualified(
        self, api: httpx.AsyncClient
    ) -> None:
        identity = await create(api)
        for _ in range(2):
            answer = await api.get(f"/ins/identities/{identity}/datamatrix.svg")
            assert (answer.status_code, answer.json()["error"]) == (422, "identity_not_qualified")
            await api.post(f"/ins/identities/{identity}/search")  # RECUP is not enough either

    async def test_is_read_from_a_scan_whole(self, api: httpx.AsyncClient) -> None:
        body = {"text": f"]d1{ZOE_TEXT}"}
        read = (await api.post("/ins/datamatrix/decode", json=body)).json()
        assert read["ins"] == {
            "oid": "1.2.250.1.213.1.4.8",
            "matricule": "2751263220749",
            "key": "74",
        }
        assert read["traits"]["birth_date"] == "1975-12-31"

    async def test_names_what_is_wrong_with_a_scan(self, api: httpx.AsyncClient) -> None:
        body = {"text": ZOE_TEXT.replace("\x1d", "").replace("S5F", "S5X")}
        answer = await api.post("/ins/datamatrix/decode", json=body)
        assert answer.status_code == 422
        assert all(one["rule"].startswith("INS-DATAMATRIX-") for one in answer.json()["problems"])
        assert "ADRUN" not in answer.text
