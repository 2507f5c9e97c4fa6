"""PATCH of mailboxes by FHIRPath, as the guide of the API MSS shows it."""

from typing import Any

import httpx
import pytest

from services.mss.annuaire.domain.systems import MAILBOX_METADATA, MAILBOX_TYPE, MESSAGING
from tests.integration.mss.annuaire.conftest import Directory
from tests.integration.mss.annuaire.test_mailboxes import (
    KIT,
    KIT_BOX,
    SECRETARIAT,
    addresses,
    create,
)

pytestmark = pytest.mark.postgres
FHIR = "application/fhir+json"


def operation(type_: str, path: str, **value: Any) -> dict[str, Any]:
    parts = [{"name": "type", "valueCode": type_}, {"name": "path", "valueString": path}]
    if value:
        parts.append({"name": "value", **value})
    return {"name": "operation", "part": parts}


def of(kind: str, address: str, attribute: str = "") -> str:
    path = f"{kind}.telecom.where(value = '{address}')"
    if attribute == "rank":
        return f"{path}.rank"
    metadata = f".extension('{MAILBOX_METADATA}').extension('{attribute}').value"
    return path + (metadata if attribute else "")


def point(address: str, type_: dict[str, Any], *parts: dict[str, Any]) -> dict[str, Any]:
    metadata = {"url": MAILBOX_METADATA, "extension": [{"url": "type", **type_}, *parts]}
    return {"system": "email", "value": address, "extension": [metadata]}


def coded(code: str, system: str = MESSAGING) -> dict[str, Any]:
    return {"valueCodeableConcept": {"coding": [{"system": system, "code": code}]}}


class Operator:
    """Whoever holds a key that may write."""

    def __init__(self, directory: Directory, key: str) -> None:
        self.directory = directory
        self.key = key

    async def patch(self, target: str, *operations: dict[str, Any]) -> httpx.Response:
        return await self.directory.http.patch(
            f"{self.directory.base}/{target}",
            json={"resourceType": "Parameters", "parameter": list(operations)},
            headers={"ESANTE-API-KEY": self.key, "Content-Type": FHIR},
        )

    async def refusal(self, target: str, *operations: dict[str, Any], status: int = 400) -> str:
        answer = await self.patch(target, *operations)
        assert answer.status_code == status, answer.text
        return " / ".join(issue["diagnostics"] for issue in answer.json()["issue"])

    async def id_of(self, query: str) -> str:
        [one] = await self.directory.found(f"/{query}", self.key)
        return f"{one['resourceType']}/{one['id']}"


@pytest.fixture
async def operator(directory: Directory) -> Operator:
    made = await directory.control("POST", "/annuaire/keys", {"label": "opérateur", "write": True})
    return Operator(directory, made.json()["key"])


def metadata_of(resource: dict[str, Any], address: str) -> dict[str, Any]:
    [found] = [one for one in resource["telecom"] if one["value"] == address]
    parts = found["extension"][1]["extension"]
    return {part["url"]: next(v for k, v in part.items() if k != "url") for part in parts}


async def test_red_list_hides_a_mailbox_in_free_access(operator: Operator) -> None:
    directory, kit = operator.directory, await operator.id_of("Practitioner?family=DOC0042788")
    answer = await operator.patch(
        kit, operation("replace", of("Practitioner", KIT_BOX, "listeRouge"), valueBoolean=True)
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == 'W/"2"'
    assert metadata_of(answer.json(), KIT_BOX)["listeRouge"] is True

    for query in (f"mailbox-mss:exact={KIT_BOX}", "mailbox-mss-type=PER&family=DOC0042788"):
        assert await directory.found(f"/Practitioner?{query}") == []
        assert len(await directory.found(f"/Practitioner?{query}", operator.key)) == 1
    [public] = await directory.found("/Practitioner?family=DOC0042788")
    assert "telecom" not in public
    assert public["meta"]["versionId"] == "2"
    assert "/as-dp-practitioner" in public["meta"]["profile"][1]
    assert "/as-practitioner" in answer.json()["meta"]["profile"][1]


async def test_writes_what_belongs_to_the_type(operator: Operator) -> None:
    hospital = await operator.id_of("Organization?identifier=10B0193488")
    answer = await operator.patch(
        hospital,
        operation("replace", of("Organization", SECRETARIAT, "description"), valueString="Accueil"),
        operation("replace", of("Organization", SECRETARIAT, "service"), valueString="Cardiologie"),
        operation("replace", of("Organization", SECRETARIAT, "responsible"), valueString="M. X"),
        operation("replace", of("Organization", SECRETARIAT, "rank"), valuePositiveInt=1),
    )
    assert answer.status_code == 200, answer.text
    assert metadata_of(answer.json(), SECRETARIAT) == {
        "type": coded("ORG", MAILBOX_TYPE)["valueCodeableConcept"],
        "description": "Accueil",
        "service": "Cardiologie",
        "responsible": "M. X",
        "listeRouge": False,
    }
    [public] = await operator.directory.found("/Organization?identifier=10B0193488")
    shown = metadata_of(public, SECRETARIAT)
    assert shown["service"] == "Cardiologie"
    assert "responsible" not in shown
    assert "listeRouge" not in shown
    assert public["telecom"][-1]["rank"] == 1

    kit = await operator.id_of("Practitioner?family=DOC0042788")
    told = await operator.refusal(
        kit,
        operation("replace", of("Practitioner", KIT_BOX, "description"), valueString="x"),
        operation("replace", of("Practitioner", KIT_BOX, "rank"), valueInteger=0),
    )
    assert told == "a mailbox of type PER has no description / rank is no number from 1"


async def test_inserts_a_mailbox_that_takes_mail(operator: Operator) -> None:
    address = "kit.second@socle.mssante.fr"
    new = operation(
        "insert", "Practitioner.telecom", valueContactPoint=point(address, {"valueCode": "PER"})
    )
    target = f"Practitioner?identifier=urn:oid:1.2.250.1.71.4.2.1|{KIT}"
    assert (await operator.patch(target, new)).status_code == 200
    assert (await operator.patch(target, new)).status_code == 200  # the answer was lost

    directory = operator.directory
    [kit] = await directory.found(f"/Practitioner?mailbox-mss:exact={address}")
    assert addresses(kit) == [KIT_BOX, address]
    owned = await directory.http.get(
        "/mss/mailboxes", headers=directory.mint.headers(directory.space, KIT)
    )
    assert address in str(owned.json())


async def test_inserts_where_the_situation_is(operator: Operator) -> None:
    kit = (await operator.id_of("Practitioner?family=DOC0042788")).partition("/")[2]
    roles = await operator.directory.found(f"/PractitionerRole?practitioner={kit}")
    situation = roles[1]["identifier"][0]["value"]
    address = "kit.hopital@socle.mssante.fr"
    answer = await operator.patch(
        f"PractitionerRole?identifier=https://rpps.esante.gouv.fr|{situation}",
        operation(
            "insert", "PractitionerRole.telecom", valueContactPoint=point(address, coded("PER"))
        ),
    )
    assert answer.status_code == 200, answer.text
    [role] = await operator.directory.found(f"/PractitionerRole?mailbox-mss:exact={address}")
    assert role["id"] == roles[1]["id"]
    assert await operator.directory.found(f"/Practitioner?mailbox-mss:exact={address}") == []


async def test_delete_takes_out_of_the_directory_and_keeps_the_mail(operator: Operator) -> None:
    directory, kit = operator.directory, await operator.id_of("Practitioner?family=DOC0042788")
    gone = operation("delete", of("Practitioner", KIT_BOX))
    for _ in range(2):
        answer = await operator.patch(kit, gone)
        assert answer.status_code == 200
        assert "telecom" not in answer.json()
    assert await directory.found(f"/Practitioner?mailbox-mss:exact={KIT_BOX}") == []
    messages = await directory.http.get(
        f"/mss/mailboxes/{KIT_BOX}/messages", headers=directory.mint.headers(directory.space, KIT)
    )
    assert messages.status_code == 200

    back = operation(
        "insert", "Practitioner.telecom", valueContactPoint=point(KIT_BOX, coded("PER"))
    )
    assert (await operator.patch(kit, back)).status_code == 200
    assert len(await directory.found(f"/Practitioner?mailbox-mss:exact={KIT_BOX}")) == 1


async def test_operations_are_applied_in_order_and_all_or_none(operator: Operator) -> None:
    await create(operator.directory, "kit.ancien@socle.mssante.fr", "PER")
    kit = await operator.id_of("Practitioner?family=DOC0042788")
    red = operation("replace", of("Practitioner", KIT_BOX, "listeRouge"), valueBoolean=True)
    gone = operation("delete", of("Practitioner", "kit.ancien@socle.mssante.fr"))
    after = operation(
        "replace",
        of("Practitioner", "kit.ancien@socle.mssante.fr", "listeRouge"),
        valueBoolean=True,
    )
    told = await operator.refusal(kit, red, gone, after)
    assert told == "the path leads to no mailbox of this resource"
    [public] = await operator.directory.found("/Practitioner?family=DOC0042788")
    assert len(addresses(public)) == 2

    assert (await operator.patch(kit, red, gone)).status_code == 200
    [public] = await operator.directory.found("/Practitioner?family=DOC0042788")
    assert addresses(public) == []


async def test_address_and_type_are_immutable(operator: Operator) -> None:
    kit = await operator.id_of("Practitioner?family=DOC0042788")
    other = "other@socle.mssante.fr"
    told = await operator.refusal(
        kit,
        operation("replace", of("Practitioner", KIT_BOX) + ".value", valueString=other),
        operation("replace", of("Practitioner", KIT_BOX, "type"), **coded("CAB")),
        operation("replace", of("Practitioner", KIT_BOX), valueContactPoint=point(other, coded("PER"))),
        operation("delete", of("Practitioner", KIT_BOX) + ".value"),
    )  # fmt: skip
    assert told.split(" / ") == [
        "the value of a mailbox cannot be changed",
        "the type of a mailbox cannot be changed",
        "the address and the type of a mailbox cannot be changed",
        "the value of a mailbox cannot be changed",
    ]
    same = operation("replace", of("Practitioner", KIT_BOX, "type"), **coded("PER"))
    assert (await operator.patch(kit, same)).status_code == 200


async def test_a_mailbox_of_one_resource_is_not_given_to_another(operator: Operator) -> None:
    robert = await operator.id_of("Practitioner?family=SPECIALISTE")
    for address, type_ in ((KIT_BOX, "PER"), (SECRETARIAT, "CAB"), ("x@gmail.com", "PER")):
        new = point(address, coded(type_))
        await operator.refusal(
            robert, operation("insert", "Practitioner.telecom", valueContactPoint=new)
        )
    patient = point("269054958815780@patient.mssante.fr", coded("PER"))
    told = await operator.refusal(
        robert, operation("insert", "Practitioner.telecom", valueContactPoint=patient)
    )
    assert told == "patients are not in the directory"
    told = await operator.refusal(
        robert,
        operation("insert", "telecom", valueContactPoint=point("a@b.mssante.fr", coded("ORG"))),
    )
    assert told == "the type of a mailbox of a Practitioner is PER or CAB"


async def test_a_closed_mailbox_is_not_published(operator: Operator) -> None:
    directory, kit = operator.directory, await operator.id_of("Practitioner?family=DOC0042788")
    await directory.control("PATCH", f"/mailboxes/{KIT_BOX}", {"active": False})
    back = operation(
        "insert", "Practitioner.telecom", valueContactPoint=point(KIT_BOX, coded("PER"))
    )
    assert await operator.refusal(kit, back) == "this mailbox is closed"


async def test_conditional_patch_needs_exactly_one_match(operator: Operator) -> None:
    red = operation("replace", of("Practitioner", KIT_BOX, "listeRouge"), valueBoolean=True)
    none = await operator.refusal("Practitioner?identifier=1", red, status=404)
    assert none == 'Invalid match URL "Practitioner?identifier=1" - No resources match this search'
    told = await operator.refusal("Practitioner?given=KIT", red, status=412)
    assert "matched" in told
    await operator.refusal("Practitioner", red)
    await operator.refusal("Practitioner/unknown", red, status=404)
    await operator.refusal("Device/unknown", red)
    await operator.refusal("Nothing/unknown", red, status=404)


@pytest.mark.parametrize(
    "path",
    [
        "", "Practitioner", "Practitioner.name", "Practitioner.telecom.where(value = 'a' or 'b')",
        "Practitioner.telecom.where(system = 'email').rank", "Practitioner.telecom.rank",
        "Organization.telecom", "Practitioner.telecom[0].extension('x')", "Practitioner.telecom[",
        "Practitioner.telecom.repeat(value)", "Practitioner.telecom.where(value = 'é\u2028",
        "x" * 3000, "Practitioner.telecom[999999999].rank", "'", "Practitioner.telecom.where(value=1)",
    ],
)  # fmt: skip
async def test_refuses_other_paths(operator: Operator, path: str) -> None:
    kit = await operator.id_of("Practitioner?family=DOC0042788")
    assert await operator.refusal(kit, operation("replace", path, valueInteger=1))


@pytest.mark.parametrize(
    "body",
    [
        "", "{", "[]", "null", '{"resourceType":"Patient"}', '{"resourceType":"Parameters"}',
        '{"resourceType":"Parameters","parameter":[1,{"name":"operation"},{"name":"operation","part":5}]}',
        '{"resourceType":"Parameters","parameter":{"name":"operation"}}',
        '[{"op":"replace","path":"/active","value":false}]',
    ],
)  # fmt: skip
async def test_refuses_bodies_that_are_no_patch(operator: Operator, body: str) -> None:
    kit = await operator.id_of("Practitioner?family=DOC0042788")
    for content_type in (FHIR, "application/json-patch+json"):
        answer = await operator.directory.http.patch(
            f"{operator.directory.base}/{kit}",
            content=body,
            headers={"ESANTE-API-KEY": operator.key, "Content-Type": content_type},
        )
        assert answer.status_code == 400, answer.text
        assert answer.json()["resourceType"] == "OperationOutcome"


async def test_writing_takes_a_key_that_may_and_a_server_that_has_it(operator: Operator) -> None:
    directory, kit = operator.directory, await operator.id_of("Practitioner?family=DOC0042788")
    red = operation("replace", of("Practitioner", KIT_BOX, "listeRouge"), valueBoolean=True)
    reader = Operator(directory, directory.key)
    assert "read the directory only" in await reader.refusal(kit, red, status=403)
    await directory.control("PUT", "/annuaire/settings", {"as_in_production": True})
    assert "how to handle PATCH operation" in await operator.refusal(kit, red)
