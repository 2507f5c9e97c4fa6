"""Software certificates at /lps, and the description that tools load."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from services.ins.app import build
from services.ins.settings import InsSettings
from socle.pki import certificates
from socle.testing.apps import client_of
from socle.testing.tokens import TokenMint

from .conftest import InsiClient, codes, envelope, rules, traits_body

KEY = "test-gateway-key"
ADRUN = envelope(traits_body("ADRUN", "ZOE", "F", "1975-12-31", "63220"))
WSDL = "{http://schemas.xmlsoap.org/wsdl/}"


def shown(common_name: str) -> dict[str, str]:
    """The gateway's word that it saw a certificate of this name."""
    key = certificates.new_key()
    root = certificates.root_certificate(key)
    issued = certificates.client_certificate(key.public_key(), common_name, root, key)
    der = base64.b64encode(issued.public_bytes(Encoding.DER)).decode()
    return {"Client-Cert": f":{der}:", "X-Socle-Gateway": KEY}


@pytest.fixture(params=["enforce", "warn"])
async def behind_gateway(
    request: pytest.FixtureRequest, settings_values: dict[str, Any], mint: TokenMint
) -> AsyncIterator[httpx.AsyncClient]:
    settings = InsSettings(**settings_values, gateway_key=KEY, ins_authentication=request.param)
    async with client_of(build(settings), mint) as client:
        yield client


class TestCertificate:
    @pytest.mark.parametrize("name", ["INSI-AUTO", "INSI-MANU"])
    async def test_of_software_is_enough(
        self, behind_gateway: httpx.AsyncClient, space: str, name: str
    ) -> None:
        answer = await InsiClient(behind_gateway, shown(name)).post(ADRUN, f"/s/{space}/lps")
        assert answer.status_code == 200
        assert "2751263220749" in answer.text
        assert "Socle-Would-Refuse" not in answer.headers

    @pytest.mark.parametrize("name", ["INSI-auto", "INSI-AUTO.", "lps.example"])
    async def test_of_another_name_is_refused_or_told(
        self,
        behind_gateway: httpx.AsyncClient,
        space: str,
        name: str,
        request: pytest.FixtureRequest,
    ) -> None:
        answer = await InsiClient(behind_gateway, shown(name)).post(ADRUN, f"/s/{space}/lps")
        if request.node.callspec.params["behind_gateway"] == "warn":
            assert answer.status_code == 200
            assert answer.headers["Socle-Would-Refuse"] == "INS-AUTH-CERTIFICATE-NAME"
            return
        assert codes(answer)[2] == "desir_560"
        assert rules(answer) == {"INS-AUTH-CERTIFICATE-NAME"}
        assert "INSI-AUTO or INSI-MANU" in answer.text

    async def test_is_worth_nothing_without_the_gateways_word(
        self, insi: InsiClient, space: str
    ) -> None:
        forged = {**shown("INSI-AUTO"), "X-Socle-Gateway": "guess"}
        answer = await InsiClient(insi.http, forged).post(ADRUN, f"/s/{space}/lps")
        assert codes(answer)[2] == "desir_560"


class TestDescription:
    async def test_names_service_port_and_operations(self, insi: InsiClient, space: str) -> None:
        answer = await insi.http.get(f"/s/{space}/lps?WSDL")
        assert answer.headers["content-type"].startswith("text/xml")
        root = etree.fromstring(answer.content)
        assert root.get("targetNamespace") == "http://www.cnamts.fr/webservice"
        assert [item.get("name") for item in root.iter(f"{WSDL}port")] == ["ICIRService"]
        operations = {item.get("name") for item in root.iterfind(f"{WSDL}portType/*")}
        assert operations == {"rechercherInsAvecTraitsIdentite", "rechercherInsAvecCarteVitale"}
        [address] = root.iter("{http://schemas.xmlsoap.org/wsdl/soap12/}address")
        assert address.get("location") == f"http://localhost:8080/s/{space}/lps"

    async def test_answers_keep_to_its_schema(self, insi: InsiClient) -> None:
        root = etree.fromstring((await insi.http.get("/lps?wsdl")).content)
        schemas = {
            item.get("targetNamespace"): item
            for item in root.iter("{http://www.w3.org/2001/XMLSchema}schema")
        }
        schema = etree.XMLSchema(schemas["http://www.cnamts.fr/INSiResultat"])
        for traits in (
            ("ADRUN", "ZOE", "F", "1975-12-31", "63220"),
            ("ECETINSI", "PIERRE-ALAIN", "M", "2009-07-14", "63220"),
            ("DE VINCI", "LEONARDO", "M", "2014-02-01"),
            ("NOBODY", "NEVER", "F", "1900-01-01"),
        ):
            answer = await insi.search(*traits)
            [result] = answer.iter("{http://www.cnamts.fr/INSiResultat}RESULTAT")
            schema.assertValid(result)

    async def test_get_without_it_is_no_call(self, insi: InsiClient) -> None:
        answer = await insi.http.get("/lps")
        assert answer.status_code == 405
        assert answer.headers["allow"] == "POST"
