"""The professional's assertion in wsse:Security: who is let in by it, and each way it fails."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from services.ins.app import build
from services.ins.settings import InsSettings
from socle.clock import wall
from socle.idgen import random_uuid
from socle.pki import SandboxCa, certificates
from socle.testing.apps import client_of
from socle.testing.tokens import TokenMint

from .conftest import InsiClient, addressing, bam, codes, envelope, lps, rules, traits_body

WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
X509_NAME = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"
TRAITS = ("ADRUN", "ZOE", "F", "1975-12-31", "63220")
ATTRIBUTES = {"identifiantFacturation": "991234567", "secteurActivite": "SA07"}


def assertion(
    qualifier: str = "CPS",
    age: timedelta = timedelta(),
    attributes: dict[str, str] = ATTRIBUTES,
    name: str = "899700427885",
    issuer_format: str = X509_NAME,
    version: str = "2.0",
) -> etree._Element:
    at = (wall() - age).strftime("%Y-%m-%dT%H:%M:%SZ")
    statement = "".join(
        f'<saml:Attribute Name="{key}"><saml:AttributeValue>{value}</saml:AttributeValue>'
        "</saml:Attribute>"
        for key, value in attributes.items()
    )
    return etree.fromstring(
        f'<saml:Assertion xmlns:saml="{SAML}" ID="_{random_uuid()}" IssueInstant="{at}" '
        f'Version="{version}"><saml:Issuer Format="{issuer_format}">CN=CPS</saml:Issuer>'
        f'<saml:Subject><saml:NameID NameQualifier="{qualifier}">{name}</saml:NameID>'
        f"</saml:Subject><saml:AttributeStatement>{statement}</saml:AttributeStatement>"
        "</saml:Assertion>"
    )


Sign = Callable[..., str]


def security(*assertions: str) -> str:
    return f'<wsse:Security xmlns:wsse="{WSSE}">{"".join(assertions)}</wsse:Security>'


def message(*headers: str) -> bytes:
    return envelope(traits_body(*TRAITS), bam(), lps(), addressing(), *headers)


@pytest.fixture(scope="session")
def card_ca(tmp_path_factory: pytest.TempPathFactory) -> SandboxCa:
    return SandboxCa.open(tmp_path_factory.mktemp("home") / "ca")


def signer(
    card: tuple[rsa.RSAPrivateKey, x509.Certificate], element: etree._Element, **options: Any
) -> str:
    options = {
        "signature_algorithm": SignatureMethod.RSA_SHA256,
        "digest_algorithm": DigestAlgorithm.SHA256,
        "c14n_algorithm": CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        **options,
    }
    signed = XMLSigner(**options).sign(
        element, key=card[0], cert=[card[1]], reference_uri=str(element.get("ID")),
        id_attribute="ID",
    )  # fmt: skip
    return etree.tostring(signed).decode()


def card_of(ca: SandboxCa) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = certificates.new_key()
    issued = certificates.client_certificate(key.public_key(), "CPS", ca.certificate, ca.key)
    return key, issued


@pytest.fixture(scope="session")
def sign(card_ca: SandboxCa) -> Sign:
    card = card_of(card_ca)

    def signed(element: etree._Element | None = None, **options: Any) -> str:
        return signer(card, assertion() if element is None else element, **options)

    return signed


@pytest.fixture
def modes() -> dict[str, Any]:
    return {}


@pytest.fixture
async def caller(
    settings_values: dict[str, Any], mint: TokenMint, card_ca: SandboxCa, modes: dict[str, Any]
) -> AsyncIterator[httpx.AsyncClient]:
    settings = InsSettings(**settings_values, home=card_ca.directory.parent, **modes)
    async with client_of(build(settings), mint) as client:
        yield client


@pytest.fixture
def alone(caller: httpx.AsyncClient) -> InsiClient:
    """Without a token and without a certificate."""
    return InsiClient(caller, {})


class TestCard:
    async def test_lets_in_who_signs_with_it(
        self, alone: InsiClient, space: str, sign: Sign
    ) -> None:
        answer = await alone.post(message(security(sign())), f"/s/{space}/lps")
        assert answer.status_code == 200, answer.text
        assert "2751263220749" in answer.text

    async def test_may_be_signed_in_place_among_inherited_namespaces(
        self, alone: InsiClient, space: str, sign: Sign
    ) -> None:
        """Exclusive canonicalisation: what surrounds the assertion does not change its digest."""
        wrapped = security(sign()).replace(
            "<wsse:Security ", '<wsse:Security xmlns:foo="urn:foo" xmlns:xsi="urn:xsi" '
        )
        answer = await alone.post(message(wrapped), f"/s/{space}/lps")
        assert answer.status_code == 200, answer.text

    @pytest.mark.parametrize(
        ("changes", "rule"),
        [
            ({"age": timedelta(minutes=61)}, "INS-SAML-TIME"),
            ({"age": timedelta(minutes=-6)}, "INS-SAML-TIME"),
            ({"attributes": {"secteurActivite": "SA07"}}, "INS-SAML-ATTRIBUTE"),
            ({"attributes": {**ATTRIBUTES, "secteurActivite": ""}}, "INS-SAML-ATTRIBUTE"),
            ({"name": ""}, "INS-SAML-SUBJECT"),
            ({"issuer_format": "urn:other"}, "INS-SAML-ISSUER"),
            ({"version": "1.1"}, "INS-SAML-VERSION"),
        ],
    )
    async def test_is_refused_when_what_is_signed_is_not_right(
        self, alone: InsiClient, space: str, sign: Sign, changes: dict[str, Any], rule: str
    ) -> None:
        body = message(security(sign(assertion(**changes))))
        answer = await alone.post(body, f"/s/{space}/lps")
        assert codes(answer)[2] == "desir_560"
        assert rules(answer) == {rule, "INS-AUTH-TOKEN-MISSING"}

    async def test_is_refused_when_an_older_algorithm_signs(
        self, alone: InsiClient, space: str, sign: Sign
    ) -> None:
        signed = sign(
            signature_algorithm=SignatureMethod.RSA_SHA384, digest_algorithm=DigestAlgorithm.SHA384
        )
        answer = await alone.post(message(security(signed)), f"/s/{space}/lps")
        assert "INS-SAML-SIGNATURE" in rules(answer)


class TestForgery:
    async def refused(self, alone: InsiClient, space: str, *headers: str) -> None:
        answer = await alone.post(message(*headers), f"/s/{space}/lps")
        assert codes(answer)[2] == "desir_560"
        assert rules(answer) & {"INS-SAML-SIGNATURE", "INS-SAML-COUNT"}

    async def test_is_refused_without_a_signature(self, alone: InsiClient, space: str) -> None:
        await self.refused(alone, space, security(etree.tostring(assertion()).decode()))

    async def test_is_refused_when_a_word_was_changed(
        self, alone: InsiClient, space: str, sign: Sign
    ) -> None:
        await self.refused(alone, space, security(sign().replace("991234567", "991234568")))

    async def test_is_refused_when_nobody_whom_we_know_issued_the_card(
        self, alone: InsiClient, space: str, tmp_path: Path
    ) -> None:
        stranger = card_of(SandboxCa.open(tmp_path / "ca"))
        await self.refused(alone, space, security(signer(stranger, assertion())))

    async def test_is_refused_when_the_card_signed_for_itself(
        self, alone: InsiClient, space: str, card_ca: SandboxCa
    ) -> None:
        """The right name of the issuer, and a key that is not its."""
        key = certificates.new_key()
        forged = certificates.client_certificate(key.public_key(), "CPS", card_ca.certificate, key)
        await self.refused(alone, space, security(signer((key, forged), assertion())))

    async def test_is_refused_when_the_signed_part_is_another_than_the_one_that_is_read(
        self, alone: InsiClient, space: str, sign: Sign
    ) -> None:
        """Signature wrapping: the signed assertion hides inside, the forged one stands outside."""
        signed = etree.fromstring(sign())
        forged = assertion(name="899700000000")
        signature = signed.find("{http://www.w3.org/2000/09/xmldsig#}Signature")
        assert signature is not None
        forged.append(signature)
        holder = etree.SubElement(forged, "holder")
        holder.append(signed)
        await self.refused(alone, space, security(etree.tostring(forged).decode()))

    async def test_is_refused_when_there_are_two(
        self, alone: InsiClient, space: str, sign: Sign
    ) -> None:
        forged = etree.tostring(assertion()).decode()
        await self.refused(alone, space, security(forged, sign()))
        await self.refused(alone, space, security(sign()), security(sign()))

    async def test_lets_nobody_in_when_it_says_psc_and_there_is_no_token(
        self, alone: InsiClient, space: str
    ) -> None:
        unsigned = security(etree.tostring(assertion("PSC")).decode())
        answer = await alone.post(message(unsigned), f"/s/{space}/lps")
        assert (codes(answer)[2], rules(answer)) == ("desir_560", {"INS-AUTH-TOKEN-MISSING"})


class TestBesideToken:
    def sent(self, **changes: Any) -> bytes:
        return message(security(etree.tostring(assertion("PSC", **changes)).decode()))

    @pytest.fixture
    def with_token(self, caller: httpx.AsyncClient, mint: TokenMint, space: str) -> InsiClient:
        return InsiClient(caller, mint.headers(space))

    async def test_needs_no_signature(self, with_token: InsiClient) -> None:
        answer = await with_token.post(self.sent())
        assert answer.status_code == 200, answer.text

    async def test_must_be_of_the_same_person(self, with_token: InsiClient) -> None:
        answer = await with_token.post(self.sent(name="899700000000"))
        assert (codes(answer)[2], rules(answer)) == ("socle_assertion", {"INS-SAML-SUBJECT"})

    async def test_must_be_whole(self, with_token: InsiClient) -> None:
        answer = await with_token.post(self.sent(attributes={}))
        assert (codes(answer)[2], rules(answer)) == ("socle_assertion", {"INS-SAML-ATTRIBUTE"})

    @pytest.mark.parametrize("modes", [{"ins_assertion": "warn"}])
    async def test_is_only_told_when_the_check_warns(
        self, with_token: InsiClient, modes: dict[str, Any]
    ) -> None:
        answer = await with_token.post(self.sent(attributes={}))
        assert answer.status_code == 200
        assert answer.headers["Socle-Would-Refuse"] == "INS-SAML-ATTRIBUTE, INS-SAML-ATTRIBUTE"

    @pytest.mark.parametrize("modes", [{"ins_assertion": "off"}])
    async def test_is_not_read_when_the_check_is_off(
        self, with_token: InsiClient, modes: dict[str, Any]
    ) -> None:
        answer = await with_token.post(self.sent(attributes={}))
        assert "Socle-Would-Refuse" not in answer.headers
