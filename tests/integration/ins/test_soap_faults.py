"""Every refusal of /lps, in the form of INSi's own faults."""

from typing import Any

import httpx
import pytest

from services.ins.app import build
from services.ins.settings import InsSettings
from socle.testing.apps import client_of
from socle.testing.tokens import TokenMint, new_key

from .conftest import (
    InsiClient,
    addressing,
    bam,
    codes,
    envelope,
    lps,
    rules,
    traits_body,
)

ZOE = traits_body("ADRUN", "ZOE", "F", "1975-12-31")
CARD = "urn:ServiceIdentiteCertifiee:1.0.0:rechercherInsAvecCarteVitale"


def refused(response: httpx.Response, *expected: str) -> None:
    assert response.status_code == 500
    assert response.headers["content-type"].startswith("application/soap+xml")
    assert codes(response) == expected


class TestAuthentication:
    async def test_refuses_with_desir_560_when_there_is_no_token(
        self, http: httpx.AsyncClient
    ) -> None:
        response = await InsiClient(http, {}).post(envelope(ZOE))
        refused(response, "Sender", "siram_100", "desir_560", "erreur")
        assert rules(response) == {"INS-AUTH-TOKEN-MISSING"}

    @pytest.mark.parametrize(
        ("changes", "rule"),
        [
            ({"exp": 1}, "INS-AUTH-TOKEN-EXPIRED"),
            ({"iss": "https://ailleurs.example"}, "INS-AUTH-TOKEN-ISSUER"),
            ({"typ": "ID"}, "INS-AUTH-TOKEN-TYPE"),
        ],
    )
    async def test_refuses_with_desir_560_when_the_token_is_not_good(
        self,
        http: httpx.AsyncClient,
        mint: TokenMint,
        space: str,
        changes: dict[str, Any],
        rule: str,
    ) -> None:
        headers = {"Authorization": f"Bearer {mint.token(space, **changes)}"}
        response = await InsiClient(http, headers).post(envelope(ZOE))
        refused(response, "Sender", "siram_100", "desir_560", "erreur")
        assert rules(response) == {rule}

    async def test_refuses_when_the_token_is_signed_by_another_key(
        self, http: httpx.AsyncClient, mint: TokenMint, space: str
    ) -> None:
        token = mint.sign(mint.claims(space), key=new_key())
        response = await InsiClient(http, {"Authorization": f"Bearer {token}"}).post(envelope(ZOE))
        refused(response, "Sender", "siram_100", "desir_560", "erreur")

    async def test_refuses_when_the_token_is_for_another_space(self, insi: InsiClient) -> None:
        response = await insi.post(envelope(ZOE), path="/s/autre-espace/lps")
        refused(response, "Sender", "siram_100", "desir_560", "erreur")

    async def test_answers_and_says_so_when_checks_only_warn(
        self, settings_values: dict[str, Any], space: str
    ) -> None:
        settings = InsSettings(**settings_values, ins_authentication="warn", ins_headers="warn")
        async with client_of(build(settings)) as http:
            response = await InsiClient(http, {}).post(
                envelope(ZOE, addressing()), path=f"/s/{space}/lps"
            )
        assert response.status_code == 200
        assert response.headers["Socle-Would-Refuse"].split(", ") == [
            "INS-AUTH-TOKEN-MISSING",
            "INS-HDR-MISSING",
            "INS-HDR-MISSING",
        ]

    async def test_refuses_with_desir_550_when_the_software_is_unknown(
        self, settings_values: dict[str, Any], mint: TokenMint, space: str
    ) -> None:
        settings = InsSettings(**settings_values, ins_known_idams=frozenset({"AUTRE"}))
        async with client_of(build(settings), mint) as http:
            response = await InsiClient(http, mint.headers(space)).post(envelope(ZOE))
        refused(response, "Sender", "siram_100", "desir_550", "erreur")
        assert 'messageID="uuid:1"' in response.text


class TestHeaders:
    @pytest.mark.parametrize(
        ("headers", "rule"),
        [
            ((lps(), addressing()), "INS-HDR-MISSING"),
            ((bam(), addressing()), "INS-HDR-MISSING"),
            ((bam(), lps()), "INS-HDR-MISSING"),
            ((bam(), bam(), lps(), addressing()), "INS-HDR-DOUBLED"),
            ((bam(), lps(), addressing(), addressing()), "INS-HDR-DOUBLED"),
            ((bam().replace("01_02", "09_09"), lps(), addressing()), "INS-HDR-VERSION"),
            ((bam().replace("<ctxbam:COUVERTURE/>", ""), lps(), addressing()), "INS-HDR-BAM"),
            ((bam(), lps().replace("EXEMPLE01", ""), addressing()), "INS-HDR-LPS"),
            ((bam().replace("2026-11-26T", "hier "), lps(), addressing()), "INS-HDR-TIME"),
        ],
    )
    async def test_refuses_when_a_header_is_not_right(
        self, insi: InsiClient, headers: tuple[str, ...], rule: str
    ) -> None:
        response = await insi.post(envelope(ZOE, *headers))
        refused(response, "Sender", "socle_requete", "socle_entetes", "erreur")
        assert rules(response) == {rule}

    async def test_refuses_when_the_action_is_unknown_or_not_the_body_s(
        self, insi: InsiClient
    ) -> None:
        for action in ("urn:inconnue", CARD):
            response = await insi.post(envelope(ZOE, bam(), lps(), addressing(action)))
            refused(response, "Sender", "socle_requete", "socle_action", "erreur")


class TestBody:
    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            (traits_body("ADRUN", "Zoé", "F", "1975-12-31"), {"INS-LEX-PRENOM-CARACTERE"}),
            (traits_body("D’ÆION", "CŒUR", "M", "1987-01-01"),
             {"INS-LEX-NOM-CARACTERE", "INS-LEX-PRENOM-CARACTERE"}),
            (traits_body(" ADRUN", "ZOE", "F", "1975-12-31"), {"INS-LEX-NOM-DEBUT"}),
            (traits_body("", "ZOE-", "X", "31/12/1975", "632"),
             {"INS-LEX-NOM-VIDE", "INS-LEX-PRENOM-FIN", "INS-LEX-SEXE", "INS-LEX-DATE",
              "INS-LEX-LIEU"}),
            ('<RECSANSVITALE xmlns="http://www.cnamts.fr/INSiRecSans"/>', {"INS-BODY-MISSING"}),
            (ZOE.replace("<Sexe>F</Sexe>", "<Sexe>F</Sexe><Sexe>M</Sexe>"), {"INS-BODY-DOUBLED"}),
            (ZOE.replace("<Sexe>F</Sexe>", "<Sexe>F</Sexe><Age>9</Age>"), {"INS-BODY-UNKNOWN"}),
        ],
    )  # fmt: skip
    async def test_names_every_problem_when_the_criteria_are_refused(
        self, insi: InsiClient, body: str, expected: set[str]
    ) -> None:
        response = await insi.post(envelope(body))
        refused(response, "Sender", "socle_requete", "socle_corps", "erreur")
        assert rules(response) == expected

    async def test_bounds_its_answer_when_thousands_of_things_are_wrong(
        self, insi: InsiClient
    ) -> None:
        many = ZOE.replace("<Sexe>", "<Prenom/>" * 20_000 + "<Sexe>")
        response = await insi.post(envelope(many))
        refused(response, "Sender", "socle_requete", "socle_corps", "erreur")
        assert len(response.content) < 60_000
        assert "INS-BODY-MORE" in rules(response)


class TestXml:
    @pytest.mark.parametrize(
        ("content", "rule"),
        [
            (b"", "INS-XML-SYNTAX"),
            (b"<soap", "INS-XML-SYNTAX"),
            (b"\xff\xfe\x00", "INS-XML-SYNTAX"),
            (b"<a/>", "INS-SOAP-ENVELOPE"),
            (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "INS-XML-DTD"),
            (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>', "INS-XML-DTD"),
            (b'<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;&x;">]><a>&y;</a>', "INS-XML-DTD"),
            (b"<a>" * 200 + b"</a>" * 200, "INS-XML-DEPTH"),
            (b'<E:Envelope xmlns:E="http://www.w3.org/2003/05/soap-envelope"><E:Body/></E:Envelope>',
             "INS-SOAP-BODY"),
            (b'<E:Envelope xmlns:E="http://www.w3.org/2003/05/soap-envelope"/>', "INS-SOAP-PARTS"),
        ],
    )  # fmt: skip
    async def test_refuses_when_the_message_is_broken_or_hostile(
        self, insi: InsiClient, content: bytes, rule: str
    ) -> None:
        response = await insi.post(content)
        refused(response, "Sender", "socle_requete", "socle_xml", "erreur")
        assert rules(response) == {rule}
        assert "root:" not in response.text

    async def test_refuses_with_413_when_the_message_is_too_large(self, insi: InsiClient) -> None:
        response = await insi.post(b"<a>" + b" " * 300_000 + b"</a>")
        assert response.status_code == 413
        assert codes(response) == ("Sender", "socle_requete", "socle_body_too_large", "erreur")
