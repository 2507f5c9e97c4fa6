"""Searches of the directory, each parameter as the guide of the Annuaire Santé shows it."""

from typing import Any
from urllib.parse import quote

import pytest

from services.mss.annuaire import conditions, repository
from services.mss.annuaire.domain.index import folded
from services.mss.annuaire.domain.systems import PROFESSION, SECTOR, SPECIALTY
from tests.integration.mss.annuaire.conftest import Directory, families, included, matches

pytestmark = pytest.mark.postgres
KIT = "DOC0042788"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("identifier=99700427885", {KIT}),
        ("identifier=https://rpps.esante.gouv.fr|99700427885", {KIT}),
        ("identifier=urn:oid:1.2.250.1.71.4.2.1|899700427885", {KIT}),
        ("identifier=urn:oid:1.2.250.1.71.4.2.1|99700427885", set()),
        ("identifier=|99700427885", set()),
        ("identifier=99700427885,99700218896", {KIT, "SPECIALISTE0021889"}),
        ("identifier:of-type=https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203|RPPS|99700427885", {KIT}),
        ("family=doc004278", {KIT, "DOC0042786"}),
        ("family:exact=doc0042788", set()),
        ("family:exact=DOC0042788", {KIT}),
        ("family:contains=0042788", {KIT}),
        ("family=d’ete-lefevre", {"D’ÉTÉ-LEFÈVRE-RADIOLOGUE0030010"}),
        ("family=" + quote("D'ÉTÉ"), {"D’ÉTÉ-LEFÈVRE-RADIOLOGUE0030010"}),
        ("given=ines", {"SAGEFEMME0030010"}),
        ("given=ines,noe", {"SAGEFEMME0030010", "DOUBLE0030010"}),
        ("given=kit&family=doc0007506", {"DOC0007506"}),
        ("family:contains=DOC&family:contains=788", {KIT}),
        ("name=noe", {"DOUBLE0030010"}),
        ("name:text=DR", None),
        ("name:family=DOUBLE0030010&name:given=NO", {"DOUBLE0030010"}),
        ("qualification-code=21", {"PHARMACIEN0030010"}),
        (f"qualification-code={PROFESSION}|21", {"PHARMACIEN0030010"}),
        (f"qualification-code={SPECIALTY}|21", set()),
        ("qualification-code=SM44", {"D’ÉTÉ-LEFÈVRE-RADIOLOGUE0030010"}),
        ("active=true&identifier=99700427885", {KIT}),
        ("active:not=false&identifier=99700427885", {KIT}),
        ("family:missing=true&active=true", set()),
        ("number-smartcard=9900427885", {KIT}),
        ("type-smartcard=CPS&identifier=99700427885", {KIT}),
        ("data-information-system=RPPS&given=claire", {"BIOLOGISTE0030010"}),
        ("data-registration-authority=CNOI", {"INFIRMIER0030010"}),
        ("identifier-type=RPPS&family=DENTISTE", {"DENTISTE0030010"}),
        ("_lastUpdated=gt2000&family=DENTISTE", {"DENTISTE0030010"}),
        ("_lastUpdated=lt2000-01-01&family=DENTISTE", set()),
        ("family=", None),
    ],
)  # fmt: skip
async def test_finds_professionals(seeded: Directory, query: str, found: set[str] | None) -> None:
    resources = await seeded.found(f"/Practitioner?{query}&_count=100")
    shown = families([one for one in resources if "name" in one])
    assert shown == found if found is not None else len(shown) > 3


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("identifier=https://finess.esante.gouv.fr|0B0193488", {"HOPITAL GENERIQUE  FIN VARI"}),
        ("identifier=10B0193488", {"HOPITAL GENERIQUE  FIN VARI"}),
        ("identifier=https://rpps.esante.gouv.fr|R102671", {"CABINET M DOC0042788"}),
        ("name:contains=laboratoire", {f"LABORATOIRE GENERIQUE SITE {n}" for n in (1, 2)}),
        ("name=pharmacie", {"PHARMACIE GENERIQUE"}),
        ("name:contains=naissance,imagerie", {"MAISON DE NAISSANCE GENERIQUE", "CLINIQUE GENERIQUE IMAGERIE"}),
        ("address-postalcode=69", {f"LABORATOIRE GENERIQUE SITE {n}" for n in (1, 2)}),
        ("address-city=rennes", {"PHARMACIE GENERIQUE"}),
        ("address-postalcode=75009&address-line=1 R NOIR", {"CABINET M DOC0042788"}),
        ("address=strasbourg", {"MAISON DE NAISSANCE GENERIQUE"}),
        ("type=SA33", {"PHARMACIE GENERIQUE"}),
        (f"type={SECTOR}|SA33,{SECTOR}|SA25", {"PHARMACIE GENERIQUE", *(f"LABORATOIRE GENERIQUE SITE {n}" for n in (1, 2))}),
        ("type=SA25&type=LEGAL-ENTITY", {"ENTITE JURIDIQUE 1B0300100"}),
        ("pharmacy-licence:missing=false", {"PHARMACIE GENERIQUE"}),
        ("pharmacy-licence=35", {"PHARMACIE GENERIQUE"}),
    ],
)  # fmt: skip
async def test_finds_structures(seeded: Directory, query: str, found: set[str]) -> None:
    resources = await seeded.found(f"/Organization?{query}&_count=100")
    expected = {name for name in found if "ENTITE" in name} or found
    shown = {one["name"] for one in resources}
    assert shown - {n for n in shown if n.startswith("ENTITE") and n not in expected} == found


async def test_finds_situations_by_person_structure_and_role(seeded: Directory) -> None:
    [kit] = await seeded.found("/Practitioner?identifier=99700427885")
    [hospital] = await seeded.found("/Organization?identifier=10B0193488")

    own = await seeded.found(f"/PractitionerRole?practitioner={kit['id']}")
    assert len(own) == 2
    assert await seeded.found(f"/PractitionerRole?practitioner=Practitioner/{kit['id']}") == own
    [both] = await seeded.found(
        f"/PractitionerRole?practitioner:Practitioner={kit['id']}"
        f"&organization=Organization/{hospital['id']}"
    )
    assert both["organization"] == {"reference": f"Organization/{hospital['id']}"}
    [situation] = both["identifier"]
    assert await seeded.found(f"/PractitionerRole?identifier={situation['value']}") == [both]
    titular = await seeded.found("/PractitionerRole?role=FON-03&active=true")
    assert [one["active"] for one in titular] == [True]


async def test_finds_equipment_and_services_of_a_structure(seeded: Directory) -> None:
    [hospital] = await seeded.found("/Organization?identifier=10B0193488")
    of_it = f"organization={hospital['id']}"
    [scanner] = await seeded.found(f"/Device?{of_it}&type=05602&status=active")
    [care] = await seeded.found(f"/HealthcareService?{of_it}&characteristic=07")

    assert scanner["owner"] == care["providedBy"] == {"reference": f"Organization/{hospital['id']}"}
    arhgos = scanner["identifier"][0]["value"]
    assert await seeded.found(f"/Device?identifier={arhgos}") == [scanner]
    profile = care["meta"]["profile"][0]
    assert care in await seeded.found(f"/HealthcareService?_profile={profile}")
    assert await seeded.found("/Device?model=X") == []
    assert await seeded.found("/Device?manufacturer=marque&status=active") != []


async def test_includes_what_is_referred_to_and_what_refers(seeded: Directory) -> None:
    bundle = await seeded.search(
        "/Practitioner?identifier=99700427885&_revinclude=PractitionerRole:practitioner"
        "&_include:iterate=PractitionerRole:organization&_include:iterate=Organization:partof"
    )
    assert len(matches(bundle)) == bundle["total"] == 1
    kinds = [one["resourceType"] for one in included(bundle)]
    assert sorted(kinds) == ["Organization"] * 3 + ["PractitionerRole"] * 2

    bundle = await seeded.search(
        "/PractitionerRole?role=FON-03&_include=PractitionerRole:organization"
        "&_include=PractitionerRole:practitioner"
    )
    assert {one["resourceType"] for one in included(bundle)} == {"Organization", "Practitioner"}
    assert bundle["total"] == 1
    all_of_them = await seeded.search("/PractitionerRole?role=FON-03&_include=*")
    assert included(all_of_them) == included(bundle)


async def test_pages_neither_repeat_nor_skip(seeded: Directory) -> None:
    whole = await seeded.found("/Organization?_count=1000")
    seen: list[str] = []
    link = f"{seeded.base}/Organization?_count=3&active=true"
    while link:
        answer = await seeded.http.get(link, headers={"ESANTE-API-KEY": seeded.key})
        bundle = answer.json()
        assert bundle["total"] == len(whole)
        seen += [one["id"] for one in matches(bundle)]
        links = {one["relation"]: one["url"] for one in bundle["link"]}
        link = links.get("next", "")
        assert ("_page_token=" in link) == bool(link)
    assert seen == [one["id"] for one in whole]


async def test_pages_of_production_have_their_own_address(directory: Directory) -> None:
    await directory.control("PUT", "/annuaire/settings", {"as_in_production": True})
    whole = await directory.found("/Organization?_count=1000&type=SA01,SA25,SA33")
    seen: list[str] = []
    link = f"{directory.base}/Organization?_count=2&type=SA01,SA25,SA33"
    while link:
        answer = await directory.http.get(link, headers={"ESANTE-API-KEY": directory.key})
        assert answer.status_code == 200
        seen += [one["id"] for one in matches(answer.json())]
        links = {one["relation"]: one["url"] for one in answer.json()["link"]}
        link = links.get("next", "")
        assert ("/fhir/v2/_page?id=" in link) == bool(link)
    assert seen == [one["id"] for one in whole]
    for id_ in ("", "x", "eJyLjgUAARUAuQ", "A" * 60_000):
        assert (await directory.get(f"/_page?id={id_}")).status_code == 410


async def test_gives_fifty_by_default_and_only_the_elements_that_were_asked(
    seeded: Directory,
) -> None:
    bundle = await seeded.search("/Practitioner?_elements=identifier,telecom")
    shown = matches(bundle)
    assert len(shown) <= 50
    assert all(set(one) <= {"resourceType", "id", "meta", "identifier", "telecom"} for one in shown)
    assert {one["meta"]["tag"][0]["code"] for one in shown} == {"SUBSETTED"}


async def test_tells_the_total_as_it_is_asked(seeded: Directory) -> None:
    assert "total" not in await seeded.search("/Device?_total=none")
    total = (await seeded.search("/Device?_total=accurate"))["total"]
    assert (await seeded.search("/Device?_summary=count"))["total"] == total > 0
    assert "entry" not in await seeded.search("/Device?_count=0")


async def test_searches_by_post_as_by_get(seeded: Directory) -> None:
    by_get = await seeded.search("/Practitioner?family=doc&given=kit&_count=2")
    answer = await seeded.http.post(
        f"{seeded.base}/Practitioner/_search?_count=2",
        data={"family": "doc", "given": "kit"},
        headers={"ESANTE-API-KEY": seeded.key},
    )
    assert answer.status_code == 200
    assert answer.json()["entry"] == by_get["entry"]
    assert answer.json()["total"] == by_get["total"]


async def test_reads_a_resource_in_json_and_xml(seeded: Directory) -> None:
    [kit] = await seeded.found("/Practitioner?identifier=99700427885")
    answer = await seeded.get(f"/Practitioner/{kit['id']}")
    assert answer.json() == kit
    assert answer.headers["etag"] == 'W/"1"'
    as_xml = await seeded.get(f"/Practitioner/{kit['id']}", Accept="application/fhir+xml")
    assert as_xml.headers["content-type"].startswith("application/fhir+xml")
    assert b"<Practitioner" in as_xml.content
    bundle = await seeded.get("/Organization?_format=xml&name=hopital")
    assert b"<Bundle" in bundle.content


async def test_an_inactive_professional_shows_identifiers_only(seeded: Directory) -> None:
    [one] = await seeded.found("/Practitioner?active=false")
    assert set(one) == {"resourceType", "id", "meta", "language", "identifier", "active"}
    assert [x["type"]["coding"][0]["code"] for x in one["identifier"]] == ["IDNPS", "RPPS"]
    assert one["active"] is False


async def test_commas_are_escaped_with_a_backslash(seeded: Directory) -> None:
    assert await seeded.found(r"/Practitioner?family=doc0042788\,doc0042786") == []
    both = await seeded.found("/Practitioner?family=doc0042788,doc0042786")
    assert families(both) == {KIT, "DOC0042786"}


async def test_refuses_in_the_words_of_the_real_server(seeded: Directory) -> None:
    [unknown] = await seeded.refusal("/PractitiXXXner", 404)
    assert unknown == (
        "HAPI-0302: Unknown resource type 'PractitiXXXner' - Server knows how to handle:"
        " [Practitioner, PractitionerRole, Device, Organization, HealthcareService]"
    )
    [parameter] = await seeded.refusal("/Device?favourite=1")
    assert parameter == (
        'HAPI-0524: Unknown search parameter "favourite" for resource type "Device". Valid search'
        " parameters for this search are: [_id, _lastUpdated, data-information-system,"
        " data-registration-authority, identifier, manufacturer, model, organization, status, type]"
    )
    assert await seeded.refusal("/Device/none", 404) == [
        "HAPI-2001: Resource Device/none is not known"
    ]
    [include] = await seeded.refusal("/Device?_include=Device:patient")
    assert include.startswith('HAPI-0442: Invalid _include parameter value: "Device:patient".')
    [gone] = await seeded.refusal("/Device?_page_token=nonsense!", 410)
    assert gone == 'HAPI-0417: Search ID "nonsense!" does not exist and may have expired'


async def test_tells_every_problem_of_a_search(seeded: Directory) -> None:
    told = await seeded.refusal(
        "/Practitioner?x=1&_count=-1&_lastUpdated=ge2026-99&family:above=A&active:missing=yes"
        "&_total=some&given=%00"
    )
    assert len(told) == 7


async def test_offers_no_writing(seeded: Directory) -> None:
    headers = {"ESANTE-API-KEY": seeded.key}
    for method, path in (
        ("PUT", "/Practitioner/1"),
        ("DELETE", "/Practitioner/1"),
        ("POST", "/Practitioner"),
        ("GET", "/Practitioner/1/_history"),
    ):
        answer = await seeded.http.request(method, seeded.base + path, headers=headers)
        assert answer.status_code == 400
        [issue] = answer.json()["issue"]
        assert issue["code"] == "not-supported"
        assert f"how to handle {method} operation[{path[1:]}]" in issue["diagnostics"]


async def test_asks_for_a_key_as_the_real_gateway(seeded: Directory) -> None:
    without = await seeded.http.get(f"{seeded.base}/metadata")
    wrong = await seeded.get("/metadata", key="wrong")
    assert (without.status_code, wrong.status_code) == (401, 401)
    assert without.json() == {"message": "Unauthorized", "http_status_code": 401}
    assert wrong.json() == {
        "message": "API Key is not valid or is expired / revoked.",
        "http_status_code": 401,
    }


async def test_lists_its_capabilities(seeded: Directory) -> None:
    statement = (await seeded.get("/metadata")).json()
    [server] = statement["rest"]
    kinds = {one["type"]: one for one in server["resource"]}
    names = {p["name"]: p["type"] for p in kinds["Practitioner"]["searchParam"]}
    assert names["mailbox-mss"] == "string"
    assert names["mailbox-mss-type"] == "token"
    assert kinds["Practitioner"]["searchRevInclude"] == ["PractitionerRole:practitioner"]


@pytest.mark.parametrize(
    ("summary", "kept"),
    [
        ("true", {"identifier", "active", "name", "telecom"}),
        ("text", set()),
        ("data", {"identifier", "active", "name", "telecom", "qualification", "language"}),
    ],
)
async def test_summarises(seeded: Directory, summary: str, kept: set[str]) -> None:
    (found,) = await seeded.found(f"/Practitioner?identifier=99700427885&_summary={summary}")
    rest = found.keys() - {"resourceType", "id", "meta", "extension"}
    assert rest == kept
    tags = [one["code"] for one in found["meta"].get("tag", [])]
    assert tags == ([] if summary == "data" else ["SUBSETTED"])


class TestSort:
    async def walked(self, seeded: Directory, query: str) -> list[dict[str, Any]]:
        """All pages of two, one after the other."""
        path: str | None = f"/Practitioner?{query}&_count=2"
        found: list[dict[str, Any]] = []
        while path is not None:
            bundle = await seeded.search(path)
            found += matches(bundle)
            links = {it["relation"]: it["url"] for it in bundle["link"]}
            path = links["next"].partition("/fhir/v2")[2] if "next" in links else None
        return found

    @pytest.mark.parametrize("many", [False, True])
    @pytest.mark.parametrize(
        "sort", ["family", "-family", "given,family", "given,-family", "-given,-_id", "_lastUpdated,-_id"]
    )  # fmt: skip
    async def test_orders_whatever_the_page(
        self, seeded: Directory, monkeypatch: pytest.MonkeyPatch, sort: str, many: bool
    ) -> None:
        """In a small directory values are looked up, in a large one an index is walked."""

        async def is_large(*_: object) -> bool:
            return many

        monkeypatch.setattr(repository, "is_large", is_large)
        everybody = {one["id"] for one in await seeded.found("/Practitioner?_count=1000")}
        found = await self.walked(seeded, f"_sort={sort}")
        assert len(found) == len(everybody)
        assert {one["id"] for one in found} == everybody
        first = sort.split(",")[0]
        if first.endswith(("family", "given")):
            least = max if first.startswith("-") else min
            values = [
                least(
                    folded(text)
                    for name in one.get("name", [])
                    for text in ([name["family"]] if "family" in first else name["given"])
                )
                for one in found
                if one.get("name")
            ]
            assert values == sorted(values, reverse=first.startswith("-"))
            assert all(one.get("name") for one in found[: len(values)])

    async def test_goes_with_criteria(self, seeded: Directory) -> None:
        found = await seeded.found("/Practitioner?family=DOC00427&_sort=-family")
        assert [one["name"][0]["family"] for one in found] == [KIT, "DOC0042786"]

    @pytest.mark.parametrize(
        ("query", "told"),
        [
            ("_sort=shoe", 'HAPI-1194: Unknown _sort parameter value "shoe" for resource type "Practitioner"'),
            ("_sort=family,shoe", "HAPI-1194"),
            ("_sort=active", "cannot sort by active"),
            ("_sort=family,family", "not supported"),
            ("_sort:asc=family", "not supported"),
        ],
    )  # fmt: skip
    async def test_is_refused_by_what_has_no_order(
        self, seeded: Directory, query: str, told: str
    ) -> None:
        (found,) = await seeded.refusal(f"/Practitioner?{query}")
        assert told in found

    async def test_of_another_order_a_page_is_gone(self, seeded: Directory) -> None:
        bundle = await seeded.search("/Practitioner?_sort=family&_count=1")
        (following,) = [it["url"] for it in bundle["link"] if it["relation"] == "next"]
        token = following.partition("_page_token=")[2].partition("&")[0]
        for query in ("", "_sort=family,given&", "_sort=_lastUpdated&"):
            await seeded.refusal(f"/Practitioner?{query}_page_token={token}", 410)


class TestChain:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("practitioner.family=DOC0042788", {KIT}),
            ("practitioner:Practitioner.identifier=99700427885", {KIT}),
            ("practitioner.family:contains=0042788", {KIT}),
            ("organization.name=CABINET M DOC0042788", {KIT}),
            ("organization.address-postalcode=75009&practitioner.identifier=99700427885", {KIT}),
            ("practitioner.family=NOBODY", set()),
            ("practitioner._has:PractitionerRole:practitioner:organization.name=CABINET M DOC0042788", {KIT}),
        ],
    )  # fmt: skip
    async def test_leads_to_what_is_referred_to(
        self, seeded: Directory, query: str, found: set[str]
    ) -> None:
        bundle = await seeded.search(
            f"/PractitionerRole?{query}&_include=PractitionerRole:practitioner"
        )
        assert families(included(bundle)) == found

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("_has:PractitionerRole:practitioner:organization.name=CABINET M DOC0042788", {KIT}),
            ("_has:PractitionerRole:practitioner:organization.name=PHARMACIE", {"PHARMACIEN0030010"}),
            ("_has:PractitionerRole:practitioner:organization.name=NOWHERE", set()),
        ],
    )  # fmt: skip
    async def test_leads_back_to_who_is_referred_to(
        self, seeded: Directory, query: str, found: set[str]
    ) -> None:
        assert families(await seeded.found(f"/Practitioner?{query}")) == found

    @pytest.mark.parametrize(
        ("query", "told"),
        [
            ("shoe.family=x", "HAPI-0524"),
            ("active.family=x", "HAPI-0524"),
            ("practitioner.shoe=x", 'HAPI-0524: Unknown search parameter "shoe" for resource type "Practitioner"'),
            ("practitioner:Organization.name=x", "not supported"),
            ("_has:PractitionerRole:practitioner:role=x", "no reference leads here"),
            ("_has:x", "no reference leads here"),
            ("_has:=x", "no reference leads here"),
            ("organization.partof.partof.partof.name=x", "too long a chain"),
        ],
    )  # fmt: skip
    async def test_is_refused_where_nothing_leads(
        self, seeded: Directory, query: str, told: str
    ) -> None:
        query = query if "=" in query else f"{query}=x"
        (found,) = await seeded.refusal(f"/PractitionerRole?{query}")
        assert told in found

    async def test_is_refused_when_too_many_stand_at_its_end(
        self, seeded: Directory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(conditions, "MAX_CHAINED", 1)
        (told,) = await seeded.refusal("/PractitionerRole?practitioner.active=true")
        assert "more resources than a chain can follow" in told


@pytest.mark.parametrize("form", ["application/json", "multipart/form-data; boundary=b"])
async def test_refuses_a_search_by_post_whose_criteria_it_cannot_read(
    seeded: Directory, form: str
) -> None:
    """Left out, they would find everybody."""
    answer = await seeded.http.post(
        f"{seeded.base}/Practitioner/_search",
        content=b'{"family": "DOC0042788"}',
        headers={"ESANTE-API-KEY": seeded.key, "Content-Type": form},
    )
    assert answer.status_code == 415
    [issue] = answer.json()["issue"]
    assert "application/x-www-form-urlencoded" in str(issue)


@pytest.mark.parametrize("path", ["/metadata", "/Practitioner?family=DOC0042788"])
async def test_answers_head_as_monitors_ask_it(seeded: Directory, path: str) -> None:
    answer = await seeded.http.head(f"{seeded.base}{path}", headers={"ESANTE-API-KEY": seeded.key})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/fhir+json")
