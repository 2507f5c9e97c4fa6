"""RECVITALE: the beneficiary of a Vitale card, with the official cards of CNDA tests 1.01 to 1.03."""

from typing import Any

import httpx
import pytest
from lxml import etree

from services.ins.app import build
from services.ins.settings import InsSettings
from socle.ids.ins import ins_key
from socle.testing.apps import client_of
from socle.testing.tokens import TokenMint

from .conftest import NS, InsiClient, addressing, bam, codes, envelope, lps, rules

ACTION = "urn:ServiceIdentiteCertifiee:1.0.0:rechercherInsAvecCarteVitale"
RUTH = "2770763220829"
DONATELLO = "2760375106693"


def number(element: str, value: str, key: str = "") -> str:
    key_element = f"<Cle>{key}</Cle>" if key else ""
    return f"<{element}><NumIdentifiant>{value}</NumIdentifiant>{key_element}</{element}>"


def card_body(*parts: str, **elements: str) -> str:
    written = "".join(f"<{name}>{value}</{name}>" for name, value in elements.items())
    return (
        f'<RECVITALE xmlns="http://www.cnamts.fr/INSiRecVit">{"".join(parts)}{written}</RECVITALE>'
    )


def covered(insured: str, own: str, born: str) -> str:
    """ContexteBAM of someone whose card was read."""
    coverage = (
        "<ctxbam:COUVERTURE><ctxbam:GrandRegime>01</ctxbam:GrandRegime>"
        f"<ctxbam:ASSURE><ctxbam:Id><ctxbam:Num>{insured}</ctxbam:Num>"
        f"<ctxbam:Cle>{ins_key(insured)}</ctxbam:Cle></ctxbam:Id></ctxbam:ASSURE>"
        f"<ctxbam:BENEFICIAIRE><ctxbam:Nir><ctxbam:Num>{own}</ctxbam:Num>"
        f"<ctxbam:Cle>{ins_key(own)}</ctxbam:Cle></ctxbam:Nir><ctxbam:DateNai>{born}</ctxbam:DateNai>"
        "<ctxbam:Rang>1</ctxbam:Rang></ctxbam:BENEFICIAIRE></ctxbam:COUVERTURE>"
    )
    return bam().replace("<ctxbam:COUVERTURE/>", coverage)


async def post(insi: InsiClient, body: str, context: str = "") -> httpx.Response:
    return await insi.post(envelope(body, context or bam(), lps(), addressing(ACTION)))


async def ask(insi: InsiClient, body: str, context: str = "") -> tuple[str, str]:
    """CodeCR and the active number."""
    answer = await post(insi, body, context)
    assert answer.status_code == 200, answer.text
    root = etree.fromstring(answer.content)
    assert root.findtext(".//{http://www.w3.org/2005/08/addressing}Action") == f"{ACTION}Response"
    return (
        root.findtext(".//r:CodeCR", "", NS),
        root.findtext(".//r:INSACTIF/r:IdIndividu/r:NumIdentifiant", "", NS),
    )


class TestFound:
    async def test_by_ones_own_number(self, insi: InsiClient) -> None:
        body = card_body(
            number("MatriculeIndividu", RUTH, "10"),
            number("MatriculeOD", RUTH, "10"),
            NomNaissance="NESSI",
            DateNaissance="1977-07-14",
            RangNaissance="1",
        )
        assert await ask(insi, body, covered(RUTH, RUTH, "1977-07-14")) == ("00", RUTH)

    async def test_without_a_key_or_with_the_key_at_the_end(self, insi: InsiClient) -> None:
        for written in (RUTH, f"{RUTH}10"):
            body = card_body(number("MatriculeIndividu", written), DateNaissance="1977-07-14")
            assert await ask(insi, body) == ("00", RUTH)

    async def test_by_the_number_of_the_insured_and_the_birth_date(self, insi: InsiClient) -> None:
        """CNDA 1.02: the second beneficiary of the card."""
        for born, expected in (("1977-07-14", RUTH), ("2010-08-07", DONATELLO)):
            body = card_body(number("MatriculeOD", RUTH, "10"), DateNaissance=born)
            assert await ask(insi, body) == ("00", expected)

    async def test_with_a_wrong_key_that_an_official_source_prints(self, insi: InsiClient) -> None:
        body = card_body(number("MatriculeIndividu", DONATELLO, "80"), DateNaissance="2010-08-07")
        assert await ask(insi, body) == ("00", DONATELLO)

    async def test_by_a_former_number(self, insi: InsiClient) -> None:
        body = card_body(number("MatriculeIndividu", "2090763220834"), DateNaissance="2009-07-14")
        assert await ask(insi, body) == ("00", "1090763220834")

    async def test_twins_on_a_card_by_their_rank(
        self, insi: InsiClient, http: httpx.AsyncClient, space: str
    ) -> None:
        for rank, own in ((1, "1150663220901"), (2, "1150663220902")):
            twin: dict[str, Any] = {
                "family_name": "NESSI", "given_names": f"JUMEAU{'AB'[rank - 1]}", "sex": "M",
                "birth_date": "2015-06-01", "birth_place": "63220",
                "oid": "1.2.250.1.213.1.4.10", "matricule": own,
                "insured": RUTH, "birth_rank": rank,
            }  # fmt: skip
            made = await http.post(f"/s/{space}/_sandbox/ins/people", json=twin)
            assert made.status_code == 201, made.text
        on_card = number("MatriculeOD", RUTH)
        both = card_body(on_card, DateNaissance="2015-06-01")
        assert (await ask(insi, both))[0] == "02"
        for place, own in (("1", "1150663220901"), ("2", "1150663220902")):
            one = card_body(on_card, DateNaissance="2015-06-01", RangNaissance=place)
            assert await ask(insi, one) == ("00", own)


class TestNotFound:
    @pytest.mark.parametrize(
        ("own", "elements"),
        [
            (RUTH, {"DateNaissance": "1977-07-15"}),
            (RUTH, {"NomNaissance": "AUTRE", "DateNaissance": "1977-07-14"}),
            ("2990163220999", {"DateNaissance": "1999-01-01"}),
        ],
    )
    async def test_another_person_is_01(
        self, insi: InsiClient, own: str, elements: dict[str, str]
    ) -> None:
        body = card_body(number("MatriculeIndividu", own), **elements)
        assert await ask(insi, body) == ("01", "")


class TestRefused:
    @pytest.mark.parametrize(
        ("body", "found"),
        [
            (card_body(DateNaissance="1977-07-14"), {"INS-BODY-MISSING"}),
            (card_body(number("MatriculeIndividu", RUTH)), {"INS-BODY-MISSING"}),
            (
                card_body(number("MatriculeIndividu", RUTH, "11"), DateNaissance="1977-07-14"),
                {"INS-CARD-KEY"},
            ),
            (
                card_body(number("MatriculeIndividu", "27707"), DateNaissance="14/07/1977"),
                {"INS-CARD-NUMBER", "INS-LEX-DATE"},
            ),
            (
                card_body(
                    number("MatriculeOD", RUTH) * 2,
                    DateNaissance="1977-07-14",
                    RangNaissance="un",
                    Sexe="F",
                ),
                {"INS-BODY-DOUBLED", "INS-CARD-RANK", "INS-BODY-UNKNOWN"},
            ),
        ],
    )
    async def test_with_everything_that_is_wrong(
        self, insi: InsiClient, body: str, found: set[str]
    ) -> None:
        answer = await post(insi, body)
        assert answer.status_code == 500
        assert codes(answer)[2] == "socle_corps"
        assert rules(answer) == found

    @pytest.mark.parametrize(
        "context",
        [
            covered(RUTH, DONATELLO, "1977-07-14"),
            covered("2790351215189", RUTH, "1977-07-14"),
            covered(RUTH, RUTH, "2010-08-07"),
        ],
    )
    async def test_for_someone_who_is_not_on_the_card(self, insi: InsiClient, context: str) -> None:
        body = card_body(
            number("MatriculeIndividu", RUTH),
            number("MatriculeOD", RUTH),
            DateNaissance="1977-07-14",
        )
        answer = await post(insi, body, context)
        assert rules(answer) == {"INS-CARD-OTHER"}

    @pytest.mark.parametrize(("mode", "told"), [("warn", "INS-CARD-OTHER"), ("off", None)])
    async def test_only_as_strictly_as_the_headers(
        self,
        settings_values: dict[str, Any],
        mint: TokenMint,
        space: str,
        mode: str,
        told: str | None,
    ) -> None:
        settings = InsSettings(**settings_values, ins_headers=mode)
        body = card_body(number("MatriculeIndividu", RUTH), DateNaissance="1977-07-14")
        async with client_of(build(settings), mint) as http:
            insi = InsiClient(http, mint.headers(space))
            answer = await post(insi, body, covered(RUTH, DONATELLO, "1977-07-14"))
        assert answer.status_code == 200
        assert answer.headers.get("Socle-Would-Refuse") == told
