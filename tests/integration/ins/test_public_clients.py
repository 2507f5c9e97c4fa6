"""Envelopes in the shapes of the public INSi clients, written anew from what they send.

Node (padoa/tlsi-ins), Java (org.sapa, JAX-WS) and Dart (ABAK Desktop Companion): prefixes, order,
white space, attributes and headers are theirs; names, numbers and times are ours (spec: ins.md §0).
"""

from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree

from services.ins.app import build
from services.ins.settings import InsSettings
from socle.testing.apps import client_of
from socle.testing.tokens import TokenMint

from .conftest import ACTION, NS, InsiClient, codes

UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
TRAITS = ("ADRTROIS", "DOMINIQUE", "F", "1997-02-26")
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSA = "http://www.w3.org/2005/08/addressing"


def node(family: str, given: str, sex: str, born: str, message_id: str = UUID) -> bytes:
    """npm `soap`: every namespace on the envelope, a space between headers, a Body with an Id."""
    declared = {
        "soap": NS["soap"], "xsi": "http://www.w3.org/2001/XMLSchema-instance",
        "tns": "http://www.cnamts.fr/webservice",
        "insi": "http://www.cnamts.fr/ServiceIdentiteCertifiee/v1",
        "insi_recsans_ins": "http://www.cnamts.fr/INSiRecSans",
        "insi_recvit_ins": "http://www.cnamts.fr/INSiRecVit",
        "insi_resultat_ins": "http://www.cnamts.fr/INSiResultat", "wsse": WSSE,
        "ctxbam": "urn:siram:bam:ctxbam", "ctxlps": "urn:siram:lps:ctxlps", "siram": "urn:siram",
    }  # fmt: skip
    namespaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in declared.items())
    common = "".join(
        f"<{{0}}:{name}>{value}</{{0}}:{name}>"
        for name, value in (
            ("Id", UUID), ("Temps", "2026-11-27T08:54:23.671Z"), ("Emetteur", "10B0152872"),
        )
    )  # fmt: skip
    wsa = f'xmlns:wsa="{WSA}" xmlns="{WSA}"'
    body = "insi_recsans_ins"
    fields = "".join(
        f"<{body}:{name}>{value}</{body}:{name}>"
        for name, value in zip(
            ("NomNaissance", "Prenom", "Sexe", "DateNaissance"), (family, given, sex, born),
            strict=True,
        )
    )  # fmt: skip
    return (
        f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope {namespaces}><soap:Header>'
        f'<ctxbam:ContexteBAM Version="01_02">{common.format("ctxbam")}'
        "<ctxbam:COUVERTURE></ctxbam:COUVERTURE></ctxbam:ContexteBAM> "
        f'<ctxlps:ContexteLPS Nature="CTXLPS" Version="01_00">{common.format("ctxlps")}'
        '<ctxlps:LPS><ctxlps:IDAM R="4">EXEMPLE01</ctxlps:IDAM>'
        f"<ctxlps:Version>2022</ctxlps:Version><ctxlps:Instance>{UUID}</ctxlps:Instance>"
        "<ctxlps:Nom>exemple</ctxlps:Nom></ctxlps:LPS></ctxlps:ContexteLPS> "
        f"<wsa:Action {wsa}>{ACTION}</wsa:Action> "
        f"<wsa:MessageID {wsa}>{message_id}</wsa:MessageID></soap:Header>"
        f'<soap:Body Id="_0"><{body}:RECSANSVITALE xmlns:{body}="http://www.cnamts.fr/INSiRecSans" '
        f'xmlns="http://www.cnamts.fr/INSiRecSans">{fields}</{body}:RECSANSVITALE></soap:Body>'
        "</soap:Envelope>"
    ).encode()


def java(family: str, given: str, sex: str, born: str) -> bytes:
    """JAX-WS with its addressing feature: default namespaces, `To` and `ReplyTo` that nobody asked
    for, an empty wsse:Security, local time with an offset."""
    common = (
        f"<Id>{UUID}</Id><Temps>2026-11-27T09:54:23.671+01:00</Temps>"
        "<Emetteur>10B0152872</Emetteur>"
    )
    return (
        "<?xml version='1.0' encoding='UTF-8'?>"
        f'<S:Envelope xmlns:S="{NS["soap"]}"><S:Header>'
        f'<To xmlns="{WSA}">https://localhost:8443/lps</To>'
        f'<ReplyTo xmlns="{WSA}"><Address>{WSA}/anonymous</Address></ReplyTo>'
        f'<ns2:Security xmlns:ns2="{WSSE}" xmlns:ns3="urn:oasis:names:tc:SAML:2.0:assertion"/>'
        f'<ContexteLPS xmlns="urn:siram:lps:ctxlps" Nature="CTXLPS" Version="01_00">{common}'
        f'<LPS><IDAM R="4">EXEMPLE01</IDAM><Version>1.0</Version><Instance>{UUID}</Instance>'
        "<Nom>urn:lps:exemple:1.0</Nom></LPS></ContexteLPS>"
        f'<ns5:MessageID xmlns:ns5="{WSA}">uuid:{UUID}</ns5:MessageID>'
        f'<ContexteBAM xmlns="urn:siram:bam:ctxbam" Nature="CTXBAM" Version="01_02">{common}'
        f'<COUVERTURE/></ContexteBAM><ns5:Action xmlns:ns5="{WSA}">{ACTION}</ns5:Action>'
        "</S:Header><S:Body>"
        '<ns3:RECSANSVITALE xmlns:ns3="http://www.cnamts.fr/INSiRecSans" '
        'xmlns:ns2="http://www.cnamts.fr/INSiResultat">'
        f"<ns3:NomNaissance>{family}</ns3:NomNaissance><ns3:Prenom>{given}</ns3:Prenom>"
        f"<ns3:Sexe>{sex}</ns3:Sexe><ns3:DateNaissance>{born}</ns3:DateNaissance>"
        "</ns3:RECSANSVITALE></S:Body></S:Envelope>"
    ).encode()


def dart(family: str, given: str, sex: str, born: str) -> bytes:
    """Printed for people to read: line ends and indentation everywhere, no Nature at all."""
    common = f"""
      <Id>{UUID}</Id>
      <Temps>2026-11-27T08:54:23.671482Z</Temps>
      <Emetteur>10B0152872</Emetteur>"""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<soap:Envelope xmlns:soap="{NS["soap"]}">
  <soap:Header>
    <ContexteBAM xmlns="urn:siram:bam:ctxbam" Version="01_02">{common}
      <COUVERTURE>
      </COUVERTURE>
    </ContexteBAM>
    <ContexteLPS xmlns="urn:siram:lps:ctxlps" Version="01_00">{common}
      <LPS>
        <IDAM R="4">EXEMPLE01</IDAM>
        <Version>1.0</Version>
        <Instance>{UUID}</Instance>
        <Nom>urn:lps:exemple:1.0</Nom>
      </LPS>
    </ContexteLPS>
    <wsa:Action xmlns:wsa="{WSA}">
      {ACTION}
    </wsa:Action>
    <wsa:MessageID xmlns:wsa="{WSA}">uuid:{UUID}</wsa:MessageID>
  </soap:Header>
  <soap:Body>
    <RECSANSVITALE xmlns="http://www.cnamts.fr/INSiRecSans">
      <NomNaissance>{family}</NomNaissance>
      <Prenom>{given}</Prenom>
      <Sexe>{sex}</Sexe>
      <DateNaissance>{born}</DateNaissance>
    </RECSANSVITALE>
  </soap:Body>
</soap:Envelope>""".encode()


Shape = Callable[..., bytes]


@pytest.mark.parametrize("shape", [node, java, dart])
class TestShapes:
    async def test_are_answered_as_the_recorded_answers_are(
        self, insi: InsiClient, shape: Shape
    ) -> None:
        answer = await insi.post(shape(*TRAITS))
        assert answer.status_code == 200, answer.text
        root = etree.fromstring(answer.content)
        found = {
            name: root.findtext(f".//r:{name}", None, NS)
            for name in ("CodeCR", "LibelleCR", "NumIdentifiant", "Cle", "OID", "ListePrenom")
        }
        assert found == {
            "CodeCR": "00", "LibelleCR": "OK", "NumIdentifiant": "297022A020778", "Cle": "78",
            "OID": "1.2.250.1.213.1.4.8", "ListePrenom": "DOMINIQUE",
        }  # fmt: skip

    async def test_are_told_that_nobody_was_found(self, insi: InsiClient, shape: Shape) -> None:
        """Which the clients have to inject: the national test server answers a fault instead."""
        answer = await insi.post(shape("HOUILLES", "PIERRE", "M", "1993-01-27"))
        root = etree.fromstring(answer.content)
        assert root.findtext(".//r:LibelleCR", None, NS) == "Aucune identite trouvee"
        assert root.find(".//r:INDIVIDU", NS) is None

    async def test_are_refused_when_the_software_is_not_known(
        self, settings_values: dict[str, Any], mint: TokenMint, space: str, shape: Shape
    ) -> None:
        settings = InsSettings(**settings_values, ins_known_idams=["AUTRE"])
        async with client_of(build(settings), mint) as http:
            answer = await InsiClient(http, mint.headers(space)).post(shape(*TRAITS))
        assert answer.status_code == 500
        assert codes(answer) == ("Sender", "siram_100", "desir_550", "erreur")
        erreur = etree.fromstring(answer.content).find(".//siram:Erreur", NS)
        assert erreur is not None
        assert UUID in erreur.get("messageID", "")


async def test_a_message_id_may_be_bare_or_not(insi: InsiClient) -> None:
    for message_id in (UUID, f"uuid:{UUID}", f"urn:uuid:{UUID}"):
        assert (await insi.post(node(*TRAITS, message_id=message_id))).status_code == 200
