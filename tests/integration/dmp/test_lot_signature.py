"""The XAdES signature of a lot, made here as the editor's kit makes it: manifest, SHA-1, c14n."""

import base64
import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

from socle.pki import SandboxCa, certificates
from socle.xds import names

from .conftest import Dmp, Start
from .samples import document
from .xds import Answer, Lot, envelope, mtom, post

DSIG = "http://www.w3.org/2000/09/xmldsig#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"


def digest(content: bytes) -> str:
    return base64.b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()


def canonical(element: etree._Element) -> bytes:
    """Of the element alone: within its tree, lxml would write xmlns="" into its children."""
    alone = etree.fromstring(etree.tostring(element, with_tail=False))
    written: bytes = etree.tostring(alone, method="c14n")
    return written


def signature(ca: SandboxCa, lot: Lot, *, digests: dict[str, str] | None = None) -> bytes:
    """`digests` replaces those of documents, by uniqueId; one that is empty leaves it out."""
    key = certificates.new_key()
    certificate = certificates.client_certificate(key.public_key(), "CPS", ca.certificate, ca.key)
    der = base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()
    references = reference(f"urn:oid:{lot.unique_id}", "AA==")
    for given in lot.documents:
        value = digest(canonical(etree.fromstring(given.content)))
        value = (digests or {}).get(given.unique_id, value)
        if value:
            references += reference(f"urn:oid:{given.unique_id}", value, transform=True)
    root = etree.fromstring(
        f'<Signature xmlns="{DSIG}" Id="0421-s"><SignedInfo><CanonicalizationMethod Algorithm="{C14N}"/>'
        f'<SignatureMethod Algorithm="{DSIG}rsa-sha1"/><Reference Type="{DSIG}Manifest" '
        f'URI="#IHEManifest"><DigestMethod Algorithm="{DSIG}sha1"/><DigestValue/></Reference>'
        "</SignedInfo><SignatureValue/><KeyInfo><X509Data><X509Certificate>"
        f"{der}</X509Certificate></X509Data></KeyInfo><Object>"
        f'<Manifest Id="IHEManifest">{references}</Manifest></Object></Signature>'
    )
    space = {"d": DSIG}
    [manifest] = root.iterfind(".//d:Manifest", space)
    [digested] = root.iterfind("d:SignedInfo//d:DigestValue", space)
    digested.text = digest(canonical(manifest))
    [info] = root.iterfind("d:SignedInfo", space)
    signed = key.sign(canonical(info), padding.PKCS1v15(), hashes.SHA1())
    [signed_value] = root.iterfind("d:SignatureValue", space)
    signed_value.text = base64.b64encode(signed).decode()
    return etree.tostring(root)


def reference(uri: str, value: str, *, transform: bool = False) -> str:
    transforms = f'<Transforms><Transform Algorithm="{C14N}#WithComments"/></Transforms>'
    return (
        f'<Reference URI="{uri}">{transforms if transform else ""}'
        f'<DigestMethod Algorithm="{DSIG}sha1"/><DigestValue>{value}</DigestValue></Reference>'
    )


async def send(dmp: Dmp, lot: Lot, signed: bytes) -> Answer:
    """The lot with this signature in the place of the helper's."""
    body = lot.body()
    [entry] = [one for one in body.iter("{*}ExtrinsicObject") if one.get("id") == "Signature01"]
    for slot in entry.iterfind("{*}Slot"):
        [value] = slot.iterfind(".//{*}Value")
        if slot.get("name") == "size":
            value.text = str(len(signed))
        elif slot.get("name") == "hash":
            value.text = hashlib.sha1(signed, usedforsecurity=False).hexdigest()
    parts = {f"{name}@client": one for name, one in lot.contents().items()}
    parts["Signature01@client"] = signed
    message = mtom(envelope(names.PROVIDE, body), parts)
    return await post(dmp.http, "repository", message, dmp.headers)


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> SandboxCa:
    return SandboxCa.open(tmp_path_factory.mktemp("home") / "ca")


@pytest.fixture
async def strict(start: Start, ca: SandboxCa) -> Dmp:
    dmp = await start(home=ca.directory.parent, dmp_lot_signature="enforce")
    await dmp.say()
    return dmp


async def test_is_accepted_when_it_covers_the_lot(strict: Dmp, ca: SandboxCa) -> None:
    lot = Lot([document(), document(seed=1)])
    answer = await send(strict, lot, signature(ca, lot))
    assert answer.status == "Success", answer.response.text
    assert "x-socle-warning" not in answer.response.headers


@pytest.mark.parametrize("change", ["other", "left-out", "set", "tampered", "stranger", "none"])
async def test_is_refused_when_it_does_not(
    strict: Dmp, ca: SandboxCa, tmp_path: Path, change: str
) -> None:
    lot = Lot([document()])
    unique_id = lot.documents[0].unique_id
    match change:
        case "other":
            signed, rule = signature(ca, lot, digests={unique_id: digest(b"x")}), "DIGEST"
        case "left-out":
            signed, rule = signature(ca, lot, digests={unique_id: ""}), "DOCUMENT"
        case "set":
            signed, rule = signature(ca, Lot(lot.documents)), "SET"
        case "tampered":
            signed, rule = signature(ca, lot).replace(b"AA==", b"AB=="), "INVALID"
        case "stranger":
            signed, rule = signature(SandboxCa.open(tmp_path / "ca"), lot), "INVALID"
        case _:
            signed, rule = b"<Signature xmlns='http://www.w3.org/2000/09/xmldsig#'/>", "INVALID"
    answer = await send(strict, lot, signed)
    assert answer.status == "Failure"
    assert f"DMP-LOT-SIGNATURE-{rule}" in answer.response.text
    assert (await strict.stored())["document"] == 0


async def test_is_told_by_default_beside_the_answer(dmp: Dmp) -> None:
    answer = await post(dmp.http, "repository", Lot().message(), dmp.headers)
    assert (answer.status, answer.warnings) == ("Success", set())
    assert answer.response.headers["x-socle-warning"] == "DMP-LOT-SIGNATURE-INVALID"


@pytest.mark.parametrize("content", [b"", b"<", b"x" * 99, b"<a/>", b"<!DOCTYPE a><a/>"])
async def test_may_be_anything_without_a_fault_of_ours(strict: Dmp, content: bytes) -> None:
    answer = await send(strict, Lot(), content)
    assert answer.status == "Failure"
    assert answer.errors
