"""Who may call the SOAP door, and what a message must be before anybody looks into it."""

import gzip
import zlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from services.dmp.xds.vihf import SAML
from socle.clock import wall
from socle.idgen import random_uuid
from socle.pki import SandboxCa, certificates
from socle.xds import names
from socle.xds.names import WSSE

from .conftest import ONE, Dmp, Start
from .samples import ANNE, Document, document
from .xds import (
    APPROVED,
    FIND_DOCUMENTS,
    NS,
    Answer,
    Lot,
    entry_for,
    envelope,
    mtom,
    patient_slot,
    post,
    query,
)

PROFESSIONAL = "899700427885"
ATTRIBUTES = {
    "VIHF_Version": "3.0",
    "Authentification_Mode": "DIRECTE",
    "Identifiant_Structure": "10B0152872",
    "Secteur_Activite": "SA07^1.2.250.1.71.4.2.4",
    "Ressource_URN": "urn:dmp",
    "urn:oasis:names:tc:xspa:1.0:subject:subject-id": "KIT DOC0042788",
    "urn:oasis:names:tc:xacml:2.0:resource:resource-id": ANNE.cx,
    "LPS_ID": "1", "LPS_Nom": "Exemple", "LPS_Version": "1", "LPS_ID_HOMOLOGATION_DMP": "EX-1",
}  # fmt: skip


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> SandboxCa:
    return SandboxCa.open(tmp_path_factory.mktemp("home") / "ca")


@pytest.fixture
async def without_token(start: Start, ca: SandboxCa) -> AsyncIterator[Dmp]:
    dmp = await start(home=ca.directory.parent)
    await dmp.say(ANNE)
    token = dmp.headers.pop("Authorization")
    yield dmp
    dmp.headers["Authorization"] = token


def vihf(ca: SandboxCa, age: timedelta = timedelta(), **changes: str) -> etree._Element:
    at = (wall() - age).strftime("%Y-%m-%dT%H:%M:%SZ")
    attributes = "".join(
        f'<saml:Attribute Name="{name}"><saml:AttributeValue>{escape(value)}</saml:AttributeValue>'
        "</saml:Attribute>"
        for name, value in {**ATTRIBUTES, **changes}.items()
    )
    role = '<Role xmlns="urn:hl7-org:v3" code="10" codeSystem="1.2.250.1.71.1.2.7"/>'
    purpose = '<PurposeOfUse xmlns="urn:hl7-org:v3" code="normal"/>'
    assertion = etree.fromstring(
        f'<saml:Assertion xmlns:saml="{SAML}" ID="_{random_uuid()}" IssueInstant="{at}" '
        f'Version="2.0"><saml:Issuer>CN=CPS</saml:Issuer><saml:Subject><saml:NameID>'
        f"{PROFESSIONAL}</saml:NameID></saml:Subject><saml:AttributeStatement>{attributes}"
        '<saml:Attribute Name="urn:oasis:names:tc:xacml:2.0:subject:role"><saml:AttributeValue>'
        f"{role}</saml:AttributeValue></saml:Attribute>"
        '<saml:Attribute Name="urn:oasis:names:tc:xspa:1.0:subject:purposeofuse">'
        f"<saml:AttributeValue>{purpose}</saml:AttributeValue></saml:Attribute>"
        "</saml:AttributeStatement></saml:Assertion>"
    )
    key, certificate = _card(ca)
    signed = XMLSigner(
        signature_algorithm=SignatureMethod.RSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    ).sign(
        assertion, key=key, cert=[certificate], reference_uri=str(assertion.get("ID")),
        id_attribute="ID",
    )  # fmt: skip
    header = etree.Element(f"{{{WSSE}}}Security")
    header.append(signed)
    return header


def _card(ca: SandboxCa) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = certificates.new_key()
    issued = certificates.client_certificate(key.public_key(), "CPS", ca.certificate, ca.key)
    return key, issued


async def provide(dmp: Dmp, lot: Lot, *headers: etree._Element) -> Answer:
    """In the path's space: without a token nothing else names it."""
    message = lot.message(*headers)
    return await post(dmp.http, "repository", message, dmp.headers, prefix=f"/s/{dmp.space}")


class TestVihf:
    async def test_lets_in_who_signs_with_a_card(self, without_token: Dmp, ca: SandboxCa) -> None:
        answer = await provide(without_token, Lot(), vihf(ca))
        assert (answer.status, answer.warnings) == ("Success", set()), answer.response.text
        assert await without_token.stored() == ONE

    async def test_says_whose_refusal_it_is_when_the_document_does_not(
        self, without_token: Dmp, ca: SandboxCa
    ) -> None:
        good = document()
        lot = Lot([Document(b"<ClinicalDocument", good.unique_id, ANNE)], [entry_for(good)])
        assert (await provide(without_token, lot, vihf(ca))).status == "Failure"
        [event] = await without_token.told()
        assert event["data"]["structure"] == {"kind": "finess", "number": "0B0152872"}
        assert (event["data"]["professional"], event["data"]["door"]) == (PROFESSIONAL, "xds")

    async def test_is_refused_when_nobody_whom_we_know_signed(
        self, without_token: Dmp, tmp_path: Path
    ) -> None:
        stranger = SandboxCa.open(tmp_path / "ca")
        answer = await provide(without_token, Lot(), vihf(stranger))
        assert (answer.response.status_code, answer.fault) == (500, "soap:DMPInvalidCertificate")
        assert "DMP-VIHF-SIGNATURE" in answer.rules

    async def test_is_refused_when_a_word_was_changed(
        self, without_token: Dmp, ca: SandboxCa
    ) -> None:
        header = vihf(ca)
        name = header.find(f".//{{{SAML}}}NameID")
        assert name is not None
        name.text = "899700000000"
        answer = await provide(without_token, Lot(), header)
        assert "DMP-VIHF-SIGNATURE" in answer.rules

    async def test_is_refused_when_it_was_made_in_the_future(
        self, without_token: Dmp, ca: SandboxCa
    ) -> None:
        answer = await provide(without_token, Lot(), vihf(ca, timedelta(hours=-1)))
        assert (answer.fault, "DMP-VIHF-TIME" in answer.rules) == ("soap:SocleAuthentication", True)

    async def test_tells_what_its_attributes_lack_or_refuses_it(
        self, without_token: Dmp, start: Start, ca: SandboxCa
    ) -> None:
        told = await provide(without_token, Lot(), vihf(ca, LPS_ID="", VIHF_Version="9"))
        assert told.status == "Success"
        assert {path.rpartition("/")[2] for path in told.warnings} == {"LPS_ID", "VIHF_Version"}
        strict = await start(home=ca.directory.parent, dmp_vihf="enforce")
        del strict.headers["Authorization"]
        refused = await provide(strict, Lot(), vihf(ca, LPS_ID=""))
        assert (refused.fault, refused.rules) == ("soap:SocleVihf", {"DMP-VIHF-ATTRIBUTE"})

    async def test_is_needed_where_there_is_no_token(self, without_token: Dmp) -> None:
        answer = await provide(without_token, Lot())
        assert (answer.fault, answer.rules) == (
            "soap:SocleAuthentication", {"DMP-AUTH-TOKEN-MISSING"},
        )  # fmt: skip

    async def test_is_not_looked_at_when_the_check_is_off(self, start: Start) -> None:
        dmp = await start(dmp_authentication="off")
        await dmp.say(ANNE)
        del dmp.headers["Authorization"]
        assert (await provide(dmp, Lot())).status == "Success"


class TestMessage:
    FIND = query(FIND_DOCUMENTS, patient_slot(), *APPROVED)

    async def test_needs_no_reply_to_and_takes_an_empty_to(self, dmp: Dmp) -> None:
        message = query(FIND_DOCUMENTS, patient_slot(), *APPROVED, without=["ReplyTo"])
        message = message.replace(b"http://localhost/services", b"")
        assert (await post(dmp.http, "registry", message, dmp.headers)).status == "Success"

    @pytest.mark.parametrize("name", ["Action", "MessageID", "To"])
    async def test_needs_each_header_of_addressing(self, dmp: Dmp, name: str) -> None:
        message = query(FIND_DOCUMENTS, patient_slot(), without=[name])
        answer = await post(dmp.http, "registry", message, dmp.headers)
        assert answer.response.status_code == 500
        assert answer.fault == "wsa:MessageAddressingHeaderRequired"
        assert "A required header representing a Message Addressing Property" in (
            answer.response.text
        )

    async def test_may_lack_them_when_the_check_is_off(self, start: Start) -> None:
        dmp = await start(dmp_addressing="off")
        message = query(FIND_DOCUMENTS, patient_slot(), without=["To", "ReplyTo", "MessageID"])
        assert (await post(dmp.http, "registry", message, dmp.headers)).status == "Success"

    async def test_relates_to_the_request(self, dmp: Dmp) -> None:
        answer = await post(dmp.http, "registry", self.FIND, dmp.headers)
        sent = etree.fromstring(self.FIND).findtext(f".//{{{names.WSA}}}MessageID")
        assert answer.root.findtext(f".//{{{names.WSA}}}RelatesTo") == sent
        action = answer.root.findtext(f".//{{{names.WSA}}}Action")
        assert action == f"{names.STORED_QUERY}Response"

    async def test_must_have_an_action_of_the_service(self, dmp: Dmp) -> None:
        answer = await post(dmp.http, "repository", self.FIND, dmp.headers)
        assert answer.fault == "wsa:ActionNotSupported"

    async def test_must_not_say_two_actions(self, dmp: Dmp) -> None:
        sent = ('application/soap+xml; action="urn:ihe:iti:2007:Other"', self.FIND)
        assert (await post(dmp.http, "registry", sent, dmp.headers)).fault == "wsa:ActionMismatch"

    @pytest.mark.parametrize(
        "hostile",
        [
            b"",
            b"<a",
            b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
            b"<a/>",
            b"<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body/></s:Envelope>",
            b"<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'/>",
            b"<a>" * 200 + b"</a>" * 200,
        ],
    )
    async def test_is_refused_by_a_fault_when_it_is_no_envelope(
        self, dmp: Dmp, hostile: bytes
    ) -> None:
        for service in ("registry", "repository"):
            answer = await post(dmp.http, service, hostile, dmp.headers)
            assert (answer.response.status_code, bool(answer.fault)) == (500, True)

    @pytest.mark.parametrize(
        "content_type",
        [
            "multipart/related",
            'multipart/related; boundary="x"',
            f'multipart/related; boundary="{"x" * 80}"',
            "multipart/related; boundary=éè",
        ],
    )
    async def test_is_refused_when_the_multipart_has_no_parts(
        self, dmp: Dmp, content_type: str
    ) -> None:
        for body in (b"", b"--x", b"--x\r\n", b"--x\r\n\r\n--x--", b"--x--"):
            answer = await dmp.http.post(
                "/si-dmp-server/v2/services/repository", content=body,
                headers=[
                    *((k.encode(), v.encode()) for k, v in dmp.headers.items()),
                    (b"content-type", content_type.encode("latin-1")),
                ],
            )  # fmt: skip
            assert answer.status_code == 500
            assert b"Fault" in answer.content

    async def test_may_be_soap_1_1_where_the_reader_is_lenient(self, dmp: Dmp) -> None:
        """One of the kit's samples is (spec: dmp.md §1.1). The answer has the form of the request."""
        old = self.FIND.replace(names.SOAP12.encode(), names.SOAP11.encode())
        refused = await post(dmp.http, "registry", old, dmp.headers)
        assert refused.root.findtext(".//soap:Code/soap:Value", "", NS) == "soap:VersionMismatch"
        assert refused.rules == {"DMP-SOAP-VERSION"}
        lenient = {**dmp.headers, "Prefer": "handling=lenient"}
        taken = await post(dmp.http, "registry", ("text/xml", old), lenient)
        assert taken.status == "Success"
        assert taken.root.tag == f"{{{names.SOAP11}}}Envelope"
        assert taken.response.headers["content-type"].startswith("text/xml")
        assert "DMP-SOAP-VERSION" in taken.response.headers["x-socle-warning"]
        lot = Lot()
        root = envelope(names.PROVIDE, lot.body())
        parts = {f"{name}@client": content for name, content in lot.contents().items()}
        sent = mtom(root.replace(names.SOAP12.encode(), names.SOAP11.encode()), parts)
        provided = await post(dmp.http, "repository", sent, lenient)
        assert provided.status == "Success"
        assert 'start-info="text/xml"' in provided.response.headers["content-type"]

    @pytest.mark.parametrize(
        ("must", "role", "fault"),
        [
            ("true", "", "soap:SocleHeader"),
            ("1", f"{names.SOAP12}/role/next", "soap:SocleHeader"),
            ("false", "", ""),
            ("true", f"{names.SOAP12}/role/none", ""),
        ],
    )
    async def test_ends_at_a_header_that_must_be_understood_and_is_not(
        self, dmp: Dmp, must: str, role: str, fault: str
    ) -> None:
        """SOAP 1.2 Part 1 §5.4.8."""
        header = etree.Element("{urn:client}Session")
        header.set(f"{{{names.SOAP12}}}mustUnderstand", must)
        if role:
            header.set(f"{{{names.SOAP12}}}role", role)
        answer = await post(dmp.http, "repository", Lot().message(header), dmp.headers)
        assert answer.fault == fault
        if fault:
            code = answer.root.findtext(".//soap:Code/soap:Value", "", NS)
            assert code == "soap:MustUnderstand"

    async def test_may_end_its_path_with_a_slash(self, dmp: Dmp) -> None:
        answer = await post(dmp.http, "registry/", self.FIND, dmp.headers)
        assert answer.status == "Success"

    async def test_may_be_compressed(self, dmp: Dmp) -> None:
        content_type, body = Lot().message()
        for coding, sent in (
            ("gzip", gzip.compress(body)),
            ("deflate", zlib.compress(body)),
            ("identity", body),
        ):
            headers = {**dmp.headers, "Content-Encoding": coding}
            answer = await post(dmp.http, "repository", (content_type, sent), headers)
            assert answer.status == "Success"
        for coding, sent in (("gzip", gzip.compress(body)[:-9]), ("gzip", body), ("br", body)):
            headers = {**dmp.headers, "Content-Encoding": coding}
            answer = await post(dmp.http, "repository", (content_type, sent), headers)
            assert answer.fault == "soap:content_encoding"

    async def test_is_refused_when_it_was_cut_short(self, dmp: Dmp) -> None:
        lot = Lot()
        parts = {f"{name}@client": content for name, content in lot.contents().items()}
        message = mtom(envelope(names.PROVIDE, lot.body()), parts, closed=False)
        answer = await post(dmp.http, "repository", (message[0], message[1][:-60]), dmp.headers)
        assert answer.rules == {"SOAP-MTOM"}
