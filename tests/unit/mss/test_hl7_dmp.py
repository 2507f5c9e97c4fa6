"""What is said to the DMP for a message: the VIHF, the lot, and what comes of its answers."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from lxml import etree

from services.mss.hl7v2.dmp import soap
from services.mss.hl7v2.dmp.deposit import Deposit, deposit_of, set_id
from services.mss.hl7v2.dmp.lot import write_lot
from services.mss.hl7v2.dmp.soap import DmpAway, DmpRefused
from services.mss.hl7v2.dmp.vihf import Role, Standing, security_header
from services.mss.hl7v2.er7 import parse
from services.mss.hl7v2.reading import read_order
from socle.clock import wall
from socle.pki import SandboxCa
from socle.pki.certificates import client_certificate, new_key
from socle.pki.issuing import Issued
from socle.saml.signature import DSIG, verify_detached, verify_signature
from socle.testing.hl7_orders import CDA, PATIENT, SENT_BY, STRUCTURE, order
from socle.xds import names
from socle.xds.ebrim import read_objects
from socle.xds.entry import read_entry
from socle.xds.names import LCM, RIM, RS, SOAP12

NS = {"s": "urn:oasis:names:tc:SAML:2.0:assertion", "h": "urn:hl7-org:v3", "d": DSIG}
LOT = UUID("8f7f3a52-6a53-5a0e-8ad9-4c0f6a1f3d27")
DEVICE = (
    "PRT||UC||SB^Send By^participation||||Organisation-X^^^^^A&1.2.250.1.71.4.2.2&ISO^IDNST^^^"
    f"{STRUCTURE}||AUTOMATE-7"
)
FLAGS = {"DESTDMP": "Y", "DESTMSSANTEPS": "N", "DESTMSSANTEPAT": "N"}


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> SandboxCa:
    return SandboxCa.open(tmp_path_factory.mktemp("home") / "ca")


@pytest.fixture(scope="module")
def seal(ca: SandboxCa) -> Issued:
    key = new_key()
    return Issued(client_certificate(key.public_key(), "PFI", ca.certificate, ca.key), key)


def deposit(*, sent_by: str = SENT_BY, **flags: str) -> Deposit:
    text = order(flags={**FLAGS, **flags}, recipients=[]).replace(SENT_BY, sent_by)
    found = read_order(parse(text.encode()))
    assert found.faults == []
    made = deposit_of(found)
    assert made is not None
    return made


class TestVihf:
    def test_says_what_the_guide_wants_of_a_professional(self, ca: SandboxCa, seal: Issued) -> None:
        standing = Standing((Role("10", "1.2.250.1.71.1.2.7"), Role("SM26", "x")), "SA01")
        header = security_header(deposit(), standing, seal, wall())
        [assertion] = header
        signed = verify_signature(assertion, [ca.certificate], wall()).element
        said = {
            str(it.get("Name")): [
                "".join(map(str, value.itertext())) or value[0].get("code")
                for value in it.iterfind("s:AttributeValue", NS)
            ]
            for it in signed.iterfind(".//s:Attribute", NS)
        }
        assert said["VIHF_Version"] == ["4.0"]
        assert said["Authentification_Mode"] == ["INDIRECTE"]
        assert said["Identifiant_Structure"] == [STRUCTURE]
        assert said["Secteur_Activite"] == ["SA01^1.2.250.1.71.4.2.4"]
        assert said["urn:oasis:names:tc:xacml:2.0:resource:resource-id"] == [PATIENT.cx]
        assert said["urn:oasis:names:tc:xacml:2.0:subject:role"] == ["10", "SM26"]
        assert said["urn:oasis:names:tc:xspa:1.0:subject:purposeofuse"] == ["normal"]
        assert said["urn:oasis:names:tc:xspa:1.0:subject:subject-id"] == ["DOC0042788 KIT"]
        assert not any("confidentiality" in name for name in said)
        assert signed.findtext("s:Subject/s:NameID", "", NS) == "899700427885"
        assert signed.findtext("s:Issuer", "", NS).endswith("CN=PFI")

    def test_names_a_machine_inside_its_structure(self, seal: Issued) -> None:
        header = security_header(deposit(sent_by=DEVICE), Standing(sector="SA01"), seal, wall())
        assert header.findtext(".//s:NameID", "", NS) == f"{STRUCTURE}/AUTOMATE-7"
        [role] = header.iterfind(".//h:Role", NS)
        assert role.get("code") == "AUTOMATE"

    def test_tells_a_secret_connection_and_hides_the_document_from_the_same(
        self, seal: Issued
    ) -> None:
        secret = deposit(CONNEXION_SECRETE="Y")
        header = security_header(secret, Standing(), seal, wall())
        [code] = header.iterfind(".//h:ConfidentialityCode", NS)
        assert code.get("code") == "INVISIBLE_REPRESENTANTS_LEGAUX"
        codes = [it.code for it in secret.documents[0].confidentiality]
        assert codes == ["N", "INVISIBLE_REPRESENTANTS_LEGAUX"]


class TestLot:
    def test_is_one_set_with_the_document_and_its_signature(
        self, ca: SandboxCa, seal: Issued
    ) -> None:
        kept = deposit(MASQUE_PS="Y")
        lot = write_lot(kept, kept.read(), LOT, {"2.25.1": "urn:uuid:old"}, seal, wall())
        parent = lot.body.find(f"{{{LCM}}}SubmitObjectsRequest/{{{RIM}}}RegistryObjectList")
        assert parent is not None
        objects = read_objects(parent)
        document, signature = map(read_entry, objects.documents)
        assert [it.code for it in document.confidentiality] == ["N", "MASQUE_PS"]
        assert (signature.type_code.code, signature.title) == ("E1762", "Source")
        kinds = [it.kind for it in objects.associations]
        assert kinds == [names.HAS_MEMBER, names.REPLACES, names.HAS_MEMBER, names.SIGNS]
        assert objects.associations[1].target == "urn:uuid:old"
        assert lot.attachments[0].content == CDA
        covered = verify_detached(
            etree.fromstring(lot.attachments[1].content), [ca.certificate], wall()
        )
        assert [etree.QName(it).localname for it in covered] == ["Manifest", "SignedProperties"]
        uris = [it.get("URI") for it in covered[0].iterfind("d:Reference", NS)]
        assert uris == [f"urn:oid:2.25.{LOT.int}", "urn:oid:2.25.1"]

    def test_is_the_same_at_each_attempt(self, seal: Issued) -> None:
        kept = deposit()
        again = Deposit.of_json(kept.as_json(), [it.content for it in kept.documents])
        assert again == kept
        at = wall()
        one, two = (write_lot(it, it.read(), LOT, {}, seal, at) for it in (kept, again))
        assert etree.tostring(one.body) == etree.tostring(two.body)
        assert (
            set_id("a", "b", "c", "1") == set_id("a", "b", "c", "1") != set_id("a", "b", "c", "2")
        )

    def test_is_not_asked_for_without_the_flag(self) -> None:
        found = read_order(parse(order().encode()))
        assert deposit_of(found) is None
        assert deposit_of(replace(found, documents=())) is None


def answer(body: str) -> bytes:
    return f'<s:Envelope xmlns:s="{SOAP12}"><s:Body>{body}</s:Body></s:Envelope>'.encode()


def response(status: str, *errors: str) -> bytes:
    listed = "".join(f'<r:RegistryError errorCode="{it}" codeContext="why"/>' for it in errors)
    return answer(
        f'<r:RegistryResponse xmlns:r="{RS}" status="{status}"><r:RegistryErrorList>{listed}'
        "</r:RegistryErrorList></r:RegistryResponse>"
    )


def fault(code: str, subcode: str) -> bytes:
    return answer(
        f"<s:Fault><s:Code><s:Value>s:{code}</s:Value><s:Subcode><s:Value>s:{subcode}</s:Value>"
        "</s:Subcode></s:Code><s:Reason><s:Text>why</s:Text></s:Reason></s:Fault>"
    )


class TestAnswers:
    @pytest.mark.parametrize(
        ("status", "content"),
        [
            (502, b"<html>Bad gateway</html>"), (200, b""), (200, b"<!DOCTYPE a><a/>"), (200, answer("")),
            (503, fault("Sender", "SocleBusy")), (500, fault("Receiver", "SocleInternal")),
            (200, response(names.FAILURE, "XDSRepositoryBusy")), (200, answer("<a/>")),
            (500, response(names.SUCCESS)),
        ],
    )  # fmt: skip
    def test_that_promise_nothing_are_asked_for_again(self, status: int, content: bytes) -> None:
        with pytest.raises(DmpAway):
            soap.read_answer(status, "application/soap+xml", content)

    @pytest.mark.parametrize(
        ("status", "content", "code"),
        [
            (200, response(names.FAILURE, "XDSUnknownPatientId"), "XDSUnknownPatientId"),
            (200, response(names.FAILURE, "XDSRepositoryMetadataError", "XDSRegistryBusy"),
             "XDSRepositoryMetadataError"),
            (200, response(names.PARTIAL), "XDSRegistryError"),
            (500, fault("Sender", "DMPInvalidCertificate"), "DMPInvalidCertificate"),
        ],
    )  # fmt: skip
    def test_that_refuse_give_the_code_of_the_dmp(
        self, status: int, content: bytes, code: str
    ) -> None:
        with pytest.raises(DmpRefused) as refused:
            soap.read_answer(status, "application/soap+xml", content)
        assert refused.value.code == code

    def test_that_succeed_are_given_back(self, tmp_path: Path) -> None:
        assert soap.read_answer(200, "text/xml", response(names.SUCCESS)).get("status")
