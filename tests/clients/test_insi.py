"""INSi by clients that we did not write, with a software certificate of the sandbox's authority."""

from typing import Any
from uuid import uuid4

import pytest
import requests
import zeep
from zeep.wsa import WsAddressingPlugin

from socle.pki import Credentials, SandboxCa

from .conftest import Scripts, Vendor

pytestmark = [pytest.mark.stack, pytest.mark.postgres]
NOW = "2026-11-27T09:30:00Z"


def address(vendor: Vendor) -> str:
    tls = f"https://localhost:{vendor.stack.ports['gateway_tls']}"
    return f"{tls}/s/{vendor.space}/lps"


@pytest.fixture
def ca(vendor: Vendor) -> SandboxCa:
    return SandboxCa.open(vendor.stack.home / "ca")


def zeep_client(vendor: Vendor, ca: SandboxCa, credentials: Credentials | None) -> Any:
    session = requests.Session()
    session.verify = str(ca.root)
    session.trust_env = False
    if credentials is not None:
        session.cert = (str(credentials.certificate), str(credentials.key))
    library: Any = zeep  # has type marks, and constructors without types
    return library.Client(
        f"{address(vendor)}?wsdl",
        transport=library.Transport(session=session),
        plugins=[WsAddressingPlugin()],
    )


def contexts() -> dict[str, Any]:
    common = {"Id": str(uuid4()), "Temps": NOW, "Emetteur": "10B0152872"}
    software = {
        "IDAM": {"_value_1": "EXEMPLE01", "R": "4"}, "Version": "1.0", "Instance": str(uuid4()),
        "Nom": "urn:lps:exemple:1.0",
    }  # fmt: skip
    return {
        "ContexteBAM": {**common, "Nature": "CTXBAM", "Version": "01_02", "COUVERTURE": {}},
        "ContexteLPS": {**common, "Nature": "CTXLPS", "Version": "01_00", "LPS": software},
    }


class TestZeep:
    def test_finds_a_person_by_traits(self, vendor: Vendor, ca: SandboxCa) -> None:
        client = zeep_client(vendor, ca, ca.client("INSI-AUTO"))
        found = client.service.rechercherInsAvecTraitsIdentite(
            NomNaissance="ECETINSI", Prenom=["PIERRE-ALAIN"], Sexe="M",
            DateNaissance="2009-07-14", LieuNaissance="63220", _soapheaders=contexts(),
        )  # fmt: skip
        assert (found.CR.CodeCR, found.CR.LibelleCR) == ("00", "OK")
        active = found.INDIVIDU.INSACTIF.IdIndividu
        assert (active.NumIdentifiant, active.Cle) == ("1090763220834", "89")
        assert found.INDIVIDU.TIQ.ListePrenom == "PIERRE-ALAIN MURIEL FLORIANT"
        assert found.INDIVIDU.INSHISTO[0].IdIndividu.NumIdentifiant == "2090763220834"

    @pytest.mark.parametrize(
        ("traits", "code"),
        [
            ({"NomNaissance": "PERSONNE", "Prenom": ["AUCUNE"], "Sexe": "F"}, "01"),
            ({"NomNaissance": "DE VINCI", "Prenom": ["LEONARDO"], "Sexe": "M"}, "02"),
        ],
    )
    def test_is_told_none_or_several(
        self, vendor: Vendor, ca: SandboxCa, traits: dict[str, Any], code: str
    ) -> None:
        client = zeep_client(vendor, ca, ca.client("INSI-MANU"))
        found = client.service.rechercherInsAvecTraitsIdentite(
            **traits, DateNaissance="2014-02-01", _soapheaders=contexts()
        )
        assert found.CR.CodeCR == code
        assert found.INDIVIDU is None

    @pytest.mark.parametrize("name", [None, "lps.example"])
    def test_is_refused_without_the_right_certificate(
        self, vendor: Vendor, ca: SandboxCa, name: str | None
    ) -> None:
        client = zeep_client(vendor, ca, ca.client(name) if name else None)
        with pytest.raises(zeep.exceptions.Fault) as refused:
            client.service.rechercherInsAvecTraitsIdentite(
                NomNaissance="ADRUN", Prenom=["ZOE"], Sexe="F", DateNaissance="1975-12-31",
                _soapheaders=contexts(),
            )  # fmt: skip
        erreur = refused.value.detail.find("{urn:siram}Erreur")
        assert erreur.get("code") == "desir_560"


@pytest.mark.node
class TestNodeSoap:
    def test_finds_a_person_by_traits(
        self, vendor: Vendor, ca: SandboxCa, scripts: Scripts
    ) -> None:
        mine = ca.client("INSI-AUTO")
        setting = vendor.setting(
            wsdl=f"{address(vendor)}?wsdl", ca=str(ca.root), certificate=str(mine.certificate),
            key=str(mine.key), now=NOW,
        )  # fmt: skip
        told = scripts.start("insi.js", setting).told()
        assert told["found"]["CR"] == {"CodeCR": "00", "LibelleCR": "OK"}
        assert (
            told["found"]["INDIVIDU"]["INSACTIF"]["IdIndividu"]["NumIdentifiant"] == "297022A020778"
        )
        assert told["none"]["CR"]["CodeCR"] == "01"
        assert told["refused"]["code"] == "socle_corps"

    def test_signs_with_the_professional_s_card(
        self, vendor: Vendor, ca: SandboxCa, scripts: Scripts
    ) -> None:
        """xml-crypto writes the signature, as in the public Node client; signxml reads it."""
        card = ca.client("899700427885")
        setting = vendor.setting(
            wsdl=f"{vendor.url}/lps?wsdl", certificate=str(card.certificate), key=str(card.key)
        )
        told = scripts.start("insi-cps.js", setting).told()
        assert told["fresh"] == "00"
        assert told["stale"]["code"] == "desir_560"
        assert told["stale"]["problems"][0] == "INS-SAML-TIME"
