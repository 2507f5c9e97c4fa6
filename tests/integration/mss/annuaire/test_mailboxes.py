"""Mailboxes in the directory: where they stand, and who sees them."""

from typing import Any

import pytest

from services.mss.annuaire import rate
from services.mss.annuaire.domain.systems import MAILBOX_METADATA, MAILBOX_TYPE, MESSAGING
from services.mss.annuaire.rate import CallRate
from tests.integration.mss.annuaire.conftest import Directory

pytestmark = pytest.mark.postgres
KIT = "899700427885"
KIT_BOX = "kit.doc0042788@socle.mssante.fr"
SECRETARIAT = "secretariat.hopital@socle.mssante.fr"


def addresses(resource: dict[str, Any]) -> list[str]:
    return [one["value"] for one in resource.get("telecom", []) if one["system"] == "email"]


async def create(directory: Directory, address: str, kind: str, owner: str = KIT) -> None:
    body = {"address": address, "kind": kind, "label": "Secrétariat", "owners": [owner]}
    assert (await directory.control("POST", "/mailboxes", body)).status_code == 201


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("mailbox-mss=kit.doc", True),
        ("mailbox-mss=KIT.DOC", True),
        ("mailbox-mss=doc0042788", False),
        ("mailbox-mss:contains=doc0042788@", True),
        ("mailbox-mss:contains=%40", True),
        ("mailbox-mss:contains=@elsewhere.mssante.fr", False),
        (f"mailbox-mss:exact={KIT_BOX}", True),
        ("mailbox-mss:exact=kit.doc0042788", False),
        ("mailbox-mss:missing=false", True),
        ("mailbox-mss:missing=true", False),
        ("mailbox-mss-type=PER", True),
        (f"mailbox-mss-type={MESSAGING}|PER", True),
        (f"mailbox-mss-type={MAILBOX_TYPE}|PER", True),
        ("mailbox-mss-type=http://elsewhere|PER", False),
        ("mailbox-mss-type=ORG,APP", False),
        ("mailbox-mss-type:not=ORG", True),
    ],
)
async def test_finds_a_professional_by_mailbox(seeded: Directory, query: str, found: bool) -> None:
    resources = await seeded.found(f"/Practitioner?{query}&family=DOC0042788")
    assert [addresses(one) for one in resources] == ([[KIT_BOX]] if found else [])


async def test_shows_a_mailbox_in_the_real_shape(seeded: Directory) -> None:
    [kit] = await seeded.found(f"/Practitioner?mailbox-mss:exact={KIT_BOX}")
    [point] = kit["telecom"]
    kind, metadata = point.pop("extension")
    assert point == {"system": "email", "value": KIT_BOX}
    assert kind["valueCoding"] == {"system": MESSAGING, "code": "MSSANTE"}
    assert metadata == {
        "url": MAILBOX_METADATA,
        "extension": [
            {
                "url": "type",
                "valueCodeableConcept": {"coding": [{"system": MAILBOX_TYPE, "code": "PER"}]},
            }
        ],
    }


async def test_a_mailbox_of_a_structure_stands_in_its_organization(seeded: Directory) -> None:
    [hospital] = await seeded.found(f"/Organization?mailbox-mss:exact={SECRETARIAT}")
    assert hospital["identifier"][1]["value"] == "0B0193488"
    assert await seeded.found("/Organization?mailbox-mss-type=ORG&type=SA01") == [hospital]
    assert await seeded.found(f"/Practitioner?mailbox-mss={SECRETARIAT}") == []


async def test_a_new_mailbox_is_found_at_once(directory: Directory) -> None:
    await create(directory, "cabinet.new@socle.mssante.fr", "CAB")
    await create(directory, "automate.new@socle.mssante.fr", "APP")

    [kit] = await directory.found("/Practitioner?mailbox-mss=cabinet.new")
    assert addresses(kit) == ["cabinet.new@socle.mssante.fr", KIT_BOX]
    assert await directory.found("/Practitioner?mailbox-mss-type=CAB") == [kit]
    [hospital] = await directory.found("/Organization?mailbox-mss-type=APP")
    assert addresses(hospital) == ["automate.new@socle.mssante.fr", SECRETARIAT]


async def test_a_mailbox_stands_with_the_structure_that_answers_for_it(
    directory: Directory,
) -> None:
    """Not with its owner's, where another is named."""
    pharmacy = {
        "address": "officine@socle.mssante.fr",
        "kind": "ORG",
        "label": "Officine",
        "owners": [KIT],
        "structure": "12B0300103",
    }
    assert (await directory.control("POST", "/mailboxes", pharmacy)).status_code == 201
    [one] = await directory.found("/Organization?mailbox-mss:exact=officine@socle.mssante.fr")
    assert one["name"] == "PHARMACIE GENERIQUE"
    [shown] = await directory.found("/Organization?identifier=12B0300103")
    assert addresses(shown) == ["officine@socle.mssante.fr"]
    assert await directory.found("/Organization?name=pharmacie&mailbox-mss-type=ORG") == [shown]
    [hospital] = await directory.found("/Organization?identifier=10B0193488")
    assert addresses(hospital) == [SECRETARIAT]


async def test_a_closed_mailbox_is_not_in_the_directory(directory: Directory) -> None:
    closed = await directory.control("PATCH", f"/mailboxes/{KIT_BOX}", {"active": False})
    assert closed.status_code == 200, closed.text
    assert await directory.found(f"/Practitioner?mailbox-mss:exact={KIT_BOX}") == []
    [kit] = await directory.found("/Practitioner?family=DOC0042788")
    assert addresses(kit) == []
    await directory.control("PATCH", f"/mailboxes/{KIT_BOX}", {"active": True})
    assert len(await directory.found(f"/Practitioner?mailbox-mss:exact={KIT_BOX}")) == 1


async def test_production_knows_no_type_of_mailbox(directory: Directory) -> None:
    answer = await directory.control("PUT", "/annuaire/settings", {"as_in_production": True})
    assert answer.json() == {"api_key": "enforce", "as_in_production": True}

    for kind in ("Practitioner", "PractitionerRole", "Organization"):
        told = await directory.refusal(f"/{kind}?mailbox-mss-type=PER")
        assert told == ["Parameter mailbox-mss-type not found"]
    assert await directory.refusal("?_type=Practitioner&mailbox-mss:contains=a") == [
        "HAPI-0287: This is the base URL of FHIR server. Unable to handle this request, as it does"
        " not contain a resource type or operation name."
    ]
    statement = (await directory.get("/metadata")).json()
    assert "mailbox-mss-type" not in str(statement)
    assert await directory.found("/Practitioner?mailbox-mss:contains=kit.doc") != []


async def test_a_space_can_do_without_keys(directory: Directory) -> None:
    await directory.control("PUT", "/annuaire/settings", {"api_key": "off"})
    answer = await directory.http.get(f"{directory.base}/Practitioner?family=doc")
    assert answer.status_code == 200


async def test_a_key_selects_its_space(directory: Directory) -> None:
    made = (await directory.control("POST", "/annuaire/keys", {"label": "éditeur"})).json()
    headers = {"ESANTE-API-KEY": made["key"]}
    await create(directory, "only.here@socle.mssante.fr", "PER")

    answer = await directory.http.get("/fhir/v2/Practitioner?mailbox-mss=only", headers=headers)
    assert answer.json()["total"] == 1
    elsewhere = await directory.http.get(f"/s/{directory.space}-b/fhir/v2/Device", headers=headers)
    assert elsewhere.status_code == 403
    assert elsewhere.json()["http_status_code"] == 403

    keys = (await directory.control("GET", "/annuaire/keys")).json()
    assert [one["label"] for one in keys] == ["démonstration", "éditeur"]
    assert made["key"] not in str(keys)
    assert (await directory.control("DELETE", f"/annuaire/keys/{made['id']}")).status_code == 204
    assert (await directory.get("/Device", key=made["key"])).status_code == 401


async def test_a_key_is_held_to_its_calls(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory.app.state, "annuaire_rate", CallRate(2))
    answers = []
    for second, calls in ((100.2, 2), (100.9, 3), (101.0, 4)):
        monkeypatch.setattr(rate, "monotonic", lambda second=second: second)
        answers += [await directory.get("/Device/none") for _ in range(calls)]
    assert [it.status_code == 429 for it in answers] == [False] * 2 + [True] * 3 + [False] * 2 + [
        True
    ] * 2
    refused = [one for one in answers if one.status_code == 429]
    assert refused[0].json() == {
        "message": "Rate limit exceeded ! You reach the limit of 2 requests per 1 seconds",
        "http_status_code": 429,
    }
    assert refused[0].headers["x-rate-limit-limit"] == "2"


async def test_population_is_the_same_everywhere_and_takes_mail(directory: Directory) -> None:
    made = await directory.control("POST", "/annuaire/population?size=60&seed=7")
    assert made.json()["mailboxes"] > 60
    again = await directory.control("POST", "/annuaire/population?size=60&seed=7")
    assert again.json() == {"entries": 0, "mailboxes": 0}

    people = await directory.found("/Practitioner?identifier:missing=false&_count=500")
    synthetic = [one for one in people if one["identifier"][1]["value"][:4] != "9970"]
    assert len(synthetic) == 60
    boxes = {address for one in synthetic for address in addresses(one)}
    assert 50 < len(boxes) < 60  # one in twenty is on the red list
    [one] = await directory.found(f"/Practitioner?mailbox-mss:exact={sorted(boxes)[0]}")
    owner = one["identifier"][0]["value"]
    answer = await directory.http.get(
        f"/mss/mailboxes/{sorted(boxes)[0]}/messages",
        headers=directory.mint.headers(directory.space, owner),
    )
    assert answer.json()["messages"] == []


async def test_a_person_of_ones_own_replaces_the_former(directory: Directory) -> None:
    person = {
        "SubjectNameID": "899703001018",
        "family_name": "ESSAI",
        "given_name": "ANNE",
        "exercices": [
            {
                "codeProfession": "10",
                "activities": [{"numeroFinessSite": "5B0300999", "raisonSocialeSite": "CENTRE"}],
            }
        ],
    }
    assert (await directory.control("POST", "/annuaire/people", person)).status_code == 201

    [one] = await directory.found("/Practitioner?identifier=99703001018")
    assert one["name"][0]["family"] == "ESSAI"
    assert await directory.found("/Practitioner?family=BIOLOGISTE") == []
    [role] = await directory.found(f"/PractitionerRole?practitioner={one['id']}")
    [structure] = await directory.found("/Organization?identifier=5B0300999")
    assert role["organization"]["reference"] == f"Organization/{structure['id']}"
    employee = {**person, "SubjectNameID": "500000001815646/CPAT00045", "origine": "CPE"}
    assert (await directory.control("POST", "/annuaire/people", employee)).status_code == 422
