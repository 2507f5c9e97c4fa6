"""What a client wrote beside what the DMP reads: telecommunications, recipients, slots of its own."""

from typing import Any

import pytest
from lxml import etree

from socle.xds import names
from socle.xds.entry import add_slot

from .conftest import Dmp
from .samples import document, resource
from .xds import GET_DOCUMENTS, NS, Answer, Lot, envelope, mtom, post, query

pytestmark = pytest.mark.postgres
GET_SET_AND_CONTENTS = "e8e3cb2c-e39c-46b9-99e4-c12f57260b83"
TELECOM = "^^Internet^kit@socle.mssante.fr"
RECIPIENT = (
    "HOPITAL B^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^11B0064167"
    "|899700218896^SPECIALISTE^ROBERT^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"
)


def values(answer: Answer, kind: str, slot: str) -> list[str]:
    path = f".//rim:{kind}//rim:Slot[@name='{slot}']/rim:ValueList/rim:Value"
    return [str(one.text) for one in answer.root.iterfind(path, NS)]


def first(parent: etree._Element, kind: str) -> etree._Element:
    found = parent.find(f".//rim:{kind}", NS)
    assert found is not None
    return found


async def ask(dmp: Dmp, message: bytes) -> Answer:
    answer = await post(dmp.http, "registry", message, dmp.headers)
    assert answer.status == "Success", answer.response.text
    return answer


async def test_a_lot_comes_back_with_all_that_it_said(dmp: Dmp) -> None:
    lot = Lot()
    body = lot.body()
    entry, package = first(body, "ExtrinsicObject"), first(body, "RegistryPackage")
    add_slot(entry, "urn:vendor:2026:workflow", ("validated", "2026-11-30"))
    add_slot(entry, "documentAvailability", ("urn:ihe:iti:2010:DocumentAvailability:Online",))
    author = next(
        one
        for one in entry.iterfind("rim:Classification", NS)
        if one.get("classificationScheme") == names.AUTHOR
    )
    add_slot(author, "authorTelecommunication", (TELECOM,))
    add_slot(package, "intendedRecipient", (RECIPIENT,))
    add_slot(package, "urn:vendor:2026:batch", ("42",))
    parts = {f"{name}@client": one for name, one in lot.contents().items()}
    sent = mtom(envelope(names.PROVIDE, body), parts)
    provided = await post(dmp.http, "repository", sent, dmp.headers)
    assert provided.status == "Success", provided.response.text

    [unique_id] = [one.unique_id for one in lot.documents]
    found = await ask(dmp, query(GET_DOCUMENTS, ("$XDSDocumentEntryUniqueId", f"('{unique_id}')")))
    assert values(found, "ExtrinsicObject", "urn:vendor:2026:workflow") == [
        "validated", "2026-11-30"
    ]  # fmt: skip
    assert values(found, "ExtrinsicObject", "authorTelecommunication") == [TELECOM]
    assert values(found, "ExtrinsicObject", "documentAvailability")
    assert values(found, "ExtrinsicObject", "repositoryUniqueId") == [names.REPOSITORY_ID]
    of_set = await ask(
        dmp, query(GET_SET_AND_CONTENTS, ("$XDSSubmissionSetUniqueId", f"'{lot.unique_id}'"))
    )
    assert values(of_set, "RegistryPackage", "intendedRecipient") == [RECIPIENT]
    assert values(of_set, "RegistryPackage", "urn:vendor:2026:batch") == ["42"]


async def test_what_fhir_says_of_a_document_is_its_comment_by_soap(dmp: Dmp) -> None:
    given = document()
    bundle = given.bundle
    resource(bundle, "DocumentReference")["description"] = "relu avec le laboratoire"
    resource(bundle, "List")["note"] = [{"text": "envoi du soir"}]
    taken = await dmp.http.post("/dmp/fhir", json=bundle, headers=dmp.headers)
    assert taken.status_code == 200, taken.text
    found = await ask(
        dmp, query(GET_DOCUMENTS, ("$XDSDocumentEntryUniqueId", f"('{given.unique_id}')"))
    )
    assert described(found, "ExtrinsicObject") == "relu avec le laboratoire"
    made = taken.json()["entry"][0]["response"]["location"].split("/")[1]
    of_set = await ask(
        dmp, query(GET_SET_AND_CONTENTS, ("$XDSSubmissionSetEntryUUID", f"'urn:uuid:{made}'"))
    )
    assert described(of_set, "RegistryPackage") == "envoi du soir"


def described(answer: Answer, kind: str) -> str:
    path = f"string(.//rim:{kind}/rim:Description/rim:LocalizedString/@value)"
    return str(answer.root.xpath(path, namespaces=NS))


@pytest.mark.parametrize(
    ("character", "shown"),
    [("\x01", "U+0001"), ("\b", "U+0008"), ("\x1f", "U+001F"), ("\ufffe", "U+FFFE")],
)
async def test_a_text_that_xml_cannot_hold_is_refused(dmp: Dmp, character: str, shown: str) -> None:
    """Once registered, it would break every search of this patient by SOAP."""
    bundle = document().bundle
    resource(bundle, "List")["title"] = f"Lot{character}"
    answer = await dmp.http.post("/dmp/fhir", json=bundle, headers=dmp.headers)
    assert answer.status_code == 422, answer.text
    issue: dict[str, Any] = answer.json()["issue"][0]
    assert issue["details"]["coding"][-1]["code"] == "FHIR-STRING"
    assert shown in issue["details"]["text"]


async def test_tabs_line_ends_and_backslashes_are_text(dmp: Dmp) -> None:
    bundle = document().bundle
    resource(bundle, "List")["title"] = "Lot\tdu soir\r\nC:\\u0001 \\b"
    answer = await dmp.http.post("/dmp/fhir", json=bundle, headers=dmp.headers)
    assert answer.status_code == 200, answer.text
