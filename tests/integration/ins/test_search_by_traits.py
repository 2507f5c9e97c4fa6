"""The official people of ins.md §5, asked by SOAP as their clients do."""

from typing import Any

import httpx
import pytest
from lxml import etree

from services.ins.app import build
from services.ins.settings import InsSettings
from socle.testing.apps import client_of
from socle.testing.tokens import TokenMint

from .conftest import NS, InsiClient, envelope, traits_body

FOUND = [
    (("ADRUN", "ZOE", "F", "1975-12-31", "63220"), "275126322074974", "8"),
    (("ADRTROIS", "DOMINIQUE", "F", "1997-02-26", "2A020"), "297022A02077878", "8"),
    (("ADRTROIS", "TOUSSAINT", "M", "1960-01-01", "2B020"), "160012B02077713", "8"),
    (("ECETINSI", "PIERRE-ALAIN", "M", "2009-07-14", "63220"), "109076322083489", "8"),
    (("PROVISOIRE", "MATRICULE", "M", "2009-07-01", "63220"), "109076322088835", "9"),
    (("TCHITCHI", "CATARINA", "F", "1936-06-21", "63220"), "236066322083656", "8"),
    (("CORSE", "ANTHONY", "M", "1980-03-02", "2B020"), "180032B02040123", "8"),
    (("HERMANN", "GATIEN", "M", "1981-03-24", "63220"), "181036322045660", "8"),
    (("HERMAN", "GATIEN", "M", "1981-03-24", "63220"), "181036322045660", "8"),
    (("NESSI", "MICHELANGELO", "M", "2010-08-07", "63220"), "110086322083060", "8"),
    (("NESSI", "RUTH", "F", "1977-07-14", "63220"), "277076322082910", "8"),
    (("DE VINCI", "DONATELLO", "M", "2010-08-07", "63220"), "276037510669380", "10"),
    (("PAT-TROIS", "DOMINIQUE", "F", "1979-03-28", "51215"), "279035121518989", "10"),
]


class TestSearch:
    @pytest.mark.parametrize(("traits", "number", "oid"), FOUND, ids=lambda value: str(value)[:30])
    async def test_gives_the_published_number_when_the_person_is_official(
        self, insi: InsiClient, traits: tuple[str, ...], number: str, oid: str
    ) -> None:
        answer = await insi.search(*traits)
        assert answer.findtext(".//r:CodeCR", None, NS) == "00"
        assert answer.findtext(".//r:LibelleCR", None, NS) == "OK"
        active = answer.find(".//r:INSACTIF", NS)
        assert active is not None
        found = active.findtext(".//r:NumIdentifiant", "", NS) + active.findtext(".//r:Cle", "", NS)
        assert found == number
        assert active.findtext("r:OID", None, NS) == f"1.2.250.1.213.1.4.{oid}"

    async def test_gives_someone_when_the_name_has_apostrophes_and_spaces(
        self, insi: InsiClient
    ) -> None:
        answer = await insi.search(
            "D'ARTAGNAN DE L'HERAULT", "PIERRE-ALAIN", "M", "2001-06-17", "63220"
        )
        assert answer.findtext(".//r:CodeCR", None, NS) == "00"
        assert answer.findtext(".//r:NomNaissance", None, NS) == "D'ARTAGNAN DE L'HERAULT"

    async def test_gives_the_history_verbatim_when_numbers_have_changed(
        self, insi: InsiClient
    ) -> None:
        answer = await insi.search("ECETINSI", "PIERRE-ALAIN", "M", "2009-07-14")
        history = [
            (
                former.findtext(".//r:NumIdentifiant", None, NS),
                former.findtext(".//r:Cle", None, NS),
                former.findtext("r:DateDeb", None, NS),
                former.findtext("r:DateFin", None, NS),
            )
            for former in answer.iterfind(".//r:INSHISTO", NS)
        ]
        assert history == [
            ("2090763220834", "39", "2019-03-01", "2019-02-28"),
            ("2090663220123", "55", None, None),
        ]
        assert answer.findtext(".//r:ListePrenom", None, NS) == "PIERRE-ALAIN MURIEL FLORIANT"

    @pytest.mark.parametrize(
        "traits",
        [
            ("TCHITCHI", "OLA", "F", "1936-06-21"),
            ("HOUILLES", "PIERRE", "M", "1993-01-27"),
            ("HOUILLES", "PIERRE PAUL JACQUES", "M", "1993-01-27"),
            ("ADRUN", "ZOE", "F", "1975-12-30"),
        ],
    )
    async def test_answers_01_when_nobody_has_these_traits(
        self, insi: InsiClient, traits: tuple[str, ...]
    ) -> None:
        answer = await insi.search(*traits)
        assert answer.findtext(".//r:CodeCR", None, NS) == "01"
        assert answer.findtext(".//r:LibelleCR", None, NS) == "Aucune identite trouvee"
        assert answer.find(".//r:INDIVIDU", NS) is None

    async def test_answers_02_when_homonyms_are_not_told_apart(self, insi: InsiClient) -> None:
        answer = await insi.search("DE VINCI", "LEONARDO", "M", "2014-02-01")
        assert answer.findtext(".//r:CodeCR", None, NS) == "02"
        assert answer.findtext(".//r:LibelleCR", None, NS) == "Plusieurs identites trouvees"
        assert answer.find(".//r:INDIVIDU", NS) is None
        told_apart = await insi.search("DE VINCI", "LEONARDO", "M", "2014-02-01", "63220")
        assert told_apart.findtext(".//r:CodeCR", None, NS) == "00"

    async def test_relates_to_the_request_when_it_answers(self, insi: InsiClient) -> None:
        answer = await insi.search("ADRUN", "ZOE", "F", "1975-12-31")
        wsa = {"wsa": "http://www.w3.org/2005/08/addressing"}
        assert answer.findtext(".//wsa:RelatesTo", None, wsa) == "uuid:1"

    @pytest.mark.parametrize("prefix", ["S", "soap"])
    async def test_uses_the_chosen_prefix_when_it_answers_or_refuses(
        self, settings_values: dict[str, Any], mint: TokenMint, space: str, prefix: str
    ) -> None:
        settings = InsSettings(**settings_values, ins_soap_prefix=prefix)
        async with client_of(build(settings), mint) as http:
            client = InsiClient(http, mint.headers(space))
            good = await client.post(envelope(traits_body("ADRUN", "ZOE", "F", "1975-12-31")))
            bad = await client.post(b"<")
        assert f"<{prefix}:Envelope".encode() in good.content
        assert f"<{prefix}:Value>{prefix}:Sender</{prefix}:Value>".encode() in bad.content

    async def test_answers_without_wsa_action_when_the_media_type_names_it(
        self, http: httpx.AsyncClient, mint: TokenMint, space: str
    ) -> None:
        from .conftest import ACTION, addressing, bam, lps

        message_id = addressing().split("</wsa:Action>")[1]
        body = envelope(traits_body("ADRUN", "ZOE", "F", "1975-12-31"), bam(), lps(), message_id)
        media_type = f'application/soap+xml; charset=utf-8; action="{ACTION}"'
        response = await http.post(
            "/lps", content=body, headers={**mint.headers(space), "Content-Type": media_type}
        )
        assert response.status_code == 200
        assert etree.fromstring(response.content).findtext(".//r:CodeCR", None, NS) == "00"
