"""The INS service in the test's process, and a SOAP client that knows only the contract."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from lxml import etree

from services.ins.app import build
from services.ins.settings import InsSettings
from socle.idgen import random_uuid
from socle.testing.apps import client_of
from socle.testing.tokens import TokenMint

ACTION = "urn:ServiceIdentiteCertifiee:1.0.0:rechercherInsAvecTraitsIdentite"
NS = {
    "soap": "http://www.w3.org/2003/05/soap-envelope",
    "r": "http://www.cnamts.fr/INSiResultat",
    "siram": "urn:siram",
    "socle": "urn:socle:error",
}


def bam() -> str:
    return (
        '<ctxbam:ContexteBAM xmlns:ctxbam="urn:siram:bam:ctxbam" Nature="CTXBAM" Version="01_02">'
        f"<ctxbam:Id>{random_uuid()}</ctxbam:Id>"
        "<ctxbam:Temps>2026-11-26T09:30:00.000Z</ctxbam:Temps>"
        "<ctxbam:Emetteur>10B0152872</ctxbam:Emetteur><ctxbam:COUVERTURE/></ctxbam:ContexteBAM>"
    )


def lps() -> str:
    return (
        '<ctxlps:ContexteLPS xmlns:ctxlps="urn:siram:lps:ctxlps" Nature="CTXLPS" Version="01_00">'
        f"<ctxlps:Id>{random_uuid()}</ctxlps:Id>"
        "<ctxlps:Temps>2026-11-26T09:30:00.000Z</ctxlps:Temps>"
        "<ctxlps:Emetteur>10B0152872</ctxlps:Emetteur><ctxlps:LPS>"
        '<ctxlps:IDAM R="4">EXEMPLE01</ctxlps:IDAM><ctxlps:Version>1.0</ctxlps:Version>'
        f"<ctxlps:Instance>{random_uuid()}</ctxlps:Instance>"
        "<ctxlps:Nom>urn:lps:exemple:1.0</ctxlps:Nom></ctxlps:LPS></ctxlps:ContexteLPS>"
    )


def addressing(action: str = ACTION, message_id: str = "uuid:1") -> str:
    wsa = 'xmlns:wsa="http://www.w3.org/2005/08/addressing"'
    return (
        f"<wsa:Action {wsa}>{action}</wsa:Action><wsa:MessageID {wsa}>{message_id}</wsa:MessageID>"
    )


def envelope(body: str, *headers: str) -> bytes:
    header = "".join(headers or (bam(), lps(), addressing()))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<soap:Envelope xmlns:soap="{NS["soap"]}"><soap:Header>{header}</soap:Header>'
        f"<soap:Body>{body}</soap:Body></soap:Envelope>"
    ).encode()


def traits_body(family: str, given: str, sex: str, born: str, place: str = "") -> str:
    place_element = f"<LieuNaissance>{place}</LieuNaissance>" if place else ""
    return (
        '<RECSANSVITALE xmlns="http://www.cnamts.fr/INSiRecSans">'
        f"<NomNaissance>{family}</NomNaissance><Prenom>{given}</Prenom><Sexe>{sex}</Sexe>"
        f"<DateNaissance>{born}</DateNaissance>{place_element}</RECSANSVITALE>"
    )


@dataclass
class InsiClient:
    http: httpx.AsyncClient
    headers: dict[str, str]

    async def post(self, content: bytes, path: str = "/lps") -> httpx.Response:
        media_type = {"Content-Type": "application/soap+xml; charset=utf-8"}
        return await self.http.post(path, content=content, headers={**media_type, **self.headers})

    async def search(self, *traits: str) -> etree._Element:
        response = await self.post(envelope(traits_body(*traits)))
        assert response.status_code == 200, response.text
        return etree.fromstring(response.content)


def codes(fault: httpx.Response) -> tuple[str, str, str, str]:
    """(Code, Subcode, siram code, severity) of a fault."""
    root = etree.fromstring(fault.content)
    erreur = root.find(".//siram:Erreur", NS)
    assert erreur is not None, fault.text
    return (
        root.findtext(".//soap:Code/soap:Value", "", NS).split(":")[1],
        root.findtext(".//soap:Subcode/soap:Value", "", NS).split(":")[1],
        erreur.get("code", ""),
        erreur.get("severite", ""),
    )


def rules(fault: httpx.Response) -> set[str]:
    root = etree.fromstring(fault.content)
    return {found.get("rule", "") for found in root.iterfind(".//socle:problem", NS)}


@pytest.fixture
async def http(
    settings_values: dict[str, Any], mint: TokenMint
) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(build(InsSettings(**settings_values)), mint) as client:
        yield client


@pytest.fixture
def insi(http: httpx.AsyncClient, mint: TokenMint, space: str) -> InsiClient:
    return InsiClient(http, mint.headers(space))


@pytest.fixture
def api(http: httpx.AsyncClient, mint: TokenMint, space: str) -> httpx.AsyncClient:
    http.headers.update(mint.headers(space))
    return http
