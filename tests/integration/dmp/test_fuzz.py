"""Nothing that a sender can break is answered by an error of the server's own.

Good messages of every transaction are broken at random places, by seeds that a failure names.
"""

import copy
import json
import random
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from lxml import etree

from services.dmp.patients.names import PATIENTS, RIGHTS
from socle.xds.names import SOAP12

from .conftest import FHIR, FHIR_JSON, Dmp, Start
from .hl7v3 import candidates, existence, own, revision, security
from .samples import ANNE, document, resource
from .test_patch import JSON_PATCH, MASKED, fhirpath, replaces
from .test_xds_read import find as find_by_soap
from .xds import (
    APPROVED,
    BASE,
    FIND_DOCUMENTS,
    GET_DOCUMENTS,
    Lot,
    envelope,
    patient_slot,
    query,
    retrieval,
    status_of,
    taken_apart,
    update,
)

ROUNDS = 100

STRANGE: list[Any] = [
    None, True, 0, -1, 1e308, 10**30, "", " ", "\0", "a\0b", "é" * 300, "x" * 70_000, "'", "('", "%", "\\",
    "urn:uuid:", "urn:oid:", "#", "#patient", "Patient/", "DocumentReference/", "^^^&&", "99999999999999",
    "2022-13-45T99:99:99Z", "0001-01-01", "9999-12-31T23:59:59-14:00", "\ud7ff", "\uffff", [], {}, [[]], [{}],
    {"reference": "#x"}, {"coding": [{}]}, {"coding": [None]}, [None], [1], {"identifier": []},
]  # fmt: skip
TEXTS = [one for one in STRANGE if isinstance(one, str) and "\0" not in one and one.isprintable()]


def broken_json(value: Any, draw: random.Random) -> Any:
    """One to three places hold something else, or nothing, or twice the same."""
    whole = copy.deepcopy(value)
    for _ in range(draw.randint(1, 3)):
        node, key = whole, None
        holder: Any = None
        while isinstance(node, dict | list) and node and (holder is None or draw.random() < 0.8):
            holder = node
            key = draw.choice(list(node)) if isinstance(node, dict) else draw.randrange(len(node))
            node = node[key]
        if holder is None:
            return draw.choice(STRANGE)
        match draw.randrange(4):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, list):
                holder.append(copy.deepcopy(node))
            case 2 if isinstance(node, str):
                holder[key] = node[: draw.randrange(len(node) + 1)] + draw.choice(
                    ["", "\0", "é", "^", "|"]
                )
            case _:
                holder[key] = copy.deepcopy(draw.choice(STRANGE))
    return whole


def broken_xml(body: bytes, draw: random.Random) -> bytes:
    """Elements removed, doubled, moved, renamed; attributes and texts replaced."""
    root = etree.fromstring(body)
    for _ in range(draw.randint(1, 3)):
        element = draw.choice(list(root.iter(etree.Element)))
        parent = element.getparent()
        match draw.randrange(6):
            case 0 if parent is not None:
                parent.remove(element)
            case 1 if parent is not None:
                parent.append(copy.deepcopy(element))
            case 2 if element.attrib:
                name = draw.choice(list(element.attrib))
                element.set(name, draw.choice(TEXTS))
            case 3 if element.attrib:
                del element.attrib[draw.choice(list(element.attrib))]
            case 4:
                element.tag = draw.choice(
                    ["{urn:x}y", "Slot", "{http://www.w3.org/2003/05/soap-envelope}Body"]
                )
            case _:
                element.text = draw.choice(TEXTS)
    return etree.tostring(root)


def broken_bytes(body: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(body))
    match draw.randrange(4):
        case 0:
            return body[:at]
        case 1:
            return body[:at] + draw.randbytes(draw.randint(1, 8)) + body[at:]
        case 2:
            return body[:at] + body[at + draw.randint(1, 200) :]
        case _:
            return body[:at] + body[at:][: draw.randint(1, 400)] + body[at:]


def broken_mtom(message: tuple[str, bytes], draw: random.Random) -> tuple[str, bytes]:
    content_type, body = message
    match draw.randrange(6):
        case 0:
            return broken_bytes(content_type.encode(), draw).decode("latin-1"), body
        case 1:
            return content_type, broken_bytes(body, draw)
        case 2:  # a line of the part headers
            lines = body.split(b"\r\n")
            places = [n for n, line in enumerate(lines) if line.lower().startswith(b"content-")]
            lines[draw.choice(places)] = draw.choice(
                [b"", b"Content-ID: <>", b"Content-Transfer-Encoding: base64", b"Content-ID: " + b"x" * 9000,
                 b"Content-Transfer-Encoding: quoted-printable", b"Content-Type: \xff", b"nothing", b": :"]
            )  # fmt: skip
            return content_type, b"\r\n".join(lines)
        case 3:  # another order, or a part that is not there
            boundary = b"--" + content_type.partition('boundary="')[2].partition('"')[0].encode()
            parts = body.split(boundary)
            draw.shuffle(parts)
            return content_type, boundary.join(parts[draw.randrange(2) :])
        case _:  # inside the envelope
            start = body.index(b"<?xml")
            end = body.index(b"Envelope>", start) + len(b"Envelope>")
            changed = broken_xml(body[start:end], draw)
            return content_type, body[:start] + changed + body[end:]


@pytest.fixture
async def open_dmp(start: Start, ins_url: str) -> Dmp:
    """With a real INS behind it, since a broken message may name any patient."""
    dmp = await start(ins_url=ins_url, dmp_validation="lenient")
    await dmp.say()
    return dmp


async def send_soap(dmp: Dmp, service: str, message: tuple[str, bytes]) -> None:
    content_type, body = message
    # What no HTTP server lets through is left out.
    kind = "".join(char for char in content_type if char.isprintable()).encode("latin-1", "ignore")
    headers = [*((k.encode(), v.encode()) for k, v in dmp.headers.items()), (b"content-type", kind)]
    response = await dmp.http.post(f"{BASE}/{service}", content=body, headers=headers)
    try:
        answer = taken_apart(response)
    except Exception as error:
        raise AssertionError(
            f"no answer of SOAP: {response.status_code} {response.text[:400]}"
        ) from error
    # The sender's faults are env:Sender; env:Receiver would be ours.
    values = [one.text or "" for one in answer.root.iter(f"{{{SOAP12}}}Value")]
    is_answer = response.status_code == 200
    assert is_answer or any(one.endswith(":Sender") for one in values), response.text[:2000]
    assert not any(one.endswith(":Receiver") for one in values), response.text[:2000]


class TestSoap:
    @pytest.mark.parametrize("seed", range(4))
    async def test_a_broken_lot_is_the_senders_fault(self, open_dmp: Dmp, seed: int) -> None:
        draw = random.Random(seed)
        for number in range(ROUNDS):
            message = broken_mtom(Lot().message(), draw)
            try:
                await send_soap(open_dmp, "repository", message)
            except AssertionError as error:
                raise AssertionError(f"round {number} of seed {seed}: {error}") from error

    @pytest.mark.parametrize("seed", range(2))
    async def test_a_broken_query_retrieval_or_update_is_too(
        self, open_dmp: Dmp, seed: int
    ) -> None:
        draw = random.Random(100 + seed)
        given = document()
        await open_dmp.deposit(given)
        [entry] = await find_by_soap(open_dmp)
        good: list[tuple[str, Callable[[], bytes]]] = [
            ("registry", lambda: query(FIND_DOCUMENTS, patient_slot(), *APPROVED,
                                       ("$XDSDocumentEntryAuthorPerson", "('%DOC%')"))),
            ("registry", lambda: query(GET_DOCUMENTS, ("$XDSDocumentEntryUniqueId", f"('{given.unique_id}')"))),
            ("registry", lambda: update(status_of(entry, "Approved", "Archived"), patient_id=ANNE.cx)),
            ("repository", lambda: retrieval(given.unique_id)),
            ("patients", lambda: envelope("urn:x", existence())),
            ("patients", lambda: envelope("urn:x", candidates("EXEMPLE"), security(purpose="centre_15"))),
            ("patients", lambda: envelope("urn:x", revision("PRPA_IN201311UV02", "CREA_RD"))),
            ("patients", lambda: envelope("urn:x", revision("PRPA_IN201314UV02", "MODIF_DATA"))),
            ("patients", lambda: envelope("urn:x", own(PATIENTS, "patientList", startDate="20200101000000"))),
            ("habilitations", lambda: envelope("urn:x", own(RIGHTS, "setAuthorization", action="AJOUT"), security())),
            ("habilitations", lambda: envelope("urn:x", own(RIGHTS, "listAuthorizationByPatient"), security())),
        ]  # fmt: skip
        for number in range(2 * ROUNDS):
            service, make = draw.choice(good)
            body = make()
            body = broken_xml(body, draw) if draw.random() < 0.8 else broken_bytes(body, draw)
            try:
                await send_soap(open_dmp, service, ("application/soap+xml; charset=utf-8", body))
            except AssertionError as error:
                raise AssertionError(f"round {number} of seed {seed}: {error}") from error


class TestFhir:
    @pytest.mark.parametrize("seed", range(4))
    async def test_a_broken_submission_is_the_senders_fault(self, open_dmp: Dmp, seed: int) -> None:
        draw = random.Random(200 + seed)
        for number in range(ROUNDS):
            bundle = document().bundle
            body = json.dumps(broken_json(bundle, draw)).encode()
            if draw.random() < 0.1:
                body = broken_bytes(body, draw)
            handling = {"Prefer": f"handling={draw.choice(['strict', 'lenient', 'x'])}"}
            response = await open_dmp.post(body, **handling)
            assert response.status_code < 500, (seed, number, response.text, body)
        # What was kept of them can be listed, by each door.
        assert (await open_dmp.find(("_count", "200"))).status_code == 200
        path = f"{FHIR}/List?patient.identifier=urn:oid:{ANNE.oid}|{ANNE.with_key}"
        for accept in ("application/fhir+json", "application/fhir+xml"):
            listed = await open_dmp.http.get(path, headers={**open_dmp.headers, "Accept": accept})
            assert listed.status_code == 200, listed.text
        assert await find_by_soap(open_dmp)

    @pytest.mark.parametrize("seed", range(2))
    async def test_a_broken_publication_or_patch_is_too(self, open_dmp: Dmp, seed: int) -> None:
        draw = random.Random(300 + seed)
        entry = await open_dmp.deposit(document())
        described = resource(document().bundle, "DocumentReference")
        described["content"][0]["attachment"]["data"] = "PGEvPg=="
        patches = [
            replaces("/securityLabel/0", MASKED),
            replaces("/extension/0/valueBoolean", True),
        ]
        path = {
            "type": ("Code", "replace"),
            "path": ("String", "DocumentReference.status"),
            "value": ("Code", "current"),
        }
        for number in range(ROUNDS):
            method, url, body, kind = draw.choice(
                [
                    ("POST", "/DocumentReference", described, FHIR_JSON),
                    ("PATCH", f"/DocumentReference/{entry}", patches, JSON_PATCH),
                    ("PATCH", f"/DocumentReference/{entry}", fhirpath(path), FHIR_JSON),
                ]
            )
            response = await open_dmp.http.request(
                method,
                f"{FHIR}{url}",
                json=broken_json(body, draw),
                headers={**open_dmp.headers, **kind},
            )
            assert response.status_code < 500, (seed, number, method, response.text)

    @pytest.mark.parametrize("seed", range(2))
    async def test_a_broken_search_is_too(self, open_dmp: Dmp, seed: int) -> None:
        draw = random.Random(400 + seed)
        names = [
            "patient.identifier", "patient", "identifier", "_id", "status", "type", "date", "creation", "period",
            "period-end", "author", "author.family", "related", "relatesto", "security-label", "_count", "_cursor",
            "source", "title", "code", "designationType", "isArchived", "_format",
        ]  # fmt: skip
        await open_dmp.deposit(document())
        for number in range(ROUNDS):
            whose = ("patient.identifier", f"urn:oid:{ANNE.oid}|{ANNE.with_key}")
            values = [str(one)[:3000] for one in STRANGE]
            parameters = [
                whose,
                *((draw.choice(names), draw.choice(values)) for _ in range(draw.randint(1, 3))),
            ]
            kind = draw.choice(["DocumentReference", "List"])
            response = await open_dmp.http.get(
                f"{FHIR}/{kind}",
                params=httpx.QueryParams(tuple(parameters)),
                headers=open_dmp.headers,
            )
            assert response.status_code < 500, (seed, number, parameters, response.text)
