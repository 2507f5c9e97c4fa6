"""ITI-67: search and read."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from .conftest import FHIR, Dmp, ids_of, rules
from .samples import ANNE, CREATED, LEO, Document, document, resource
from .test_patch import MASKED, patch, replaces
from .xds import Lot, post

WHOSE = f"urn:oid:{ANNE.oid}|{ANNE.with_key}"


def links(response: httpx.Response) -> dict[str, str]:
    return {link["relation"]: link["url"] for link in response.json()["link"]}


@pytest.fixture
def given() -> Document:
    return document()


@pytest.fixture
async def entry(dmp: Dmp, given: Document) -> str:
    return await dmp.deposit(given)


class TestSearch:
    async def test_finds_by_patient_when_asked_by_get_and_by_post(
        self, dmp: Dmp, entry: str
    ) -> None:
        by_get = await dmp.find()
        by_post = await dmp.http.post(
            f"{FHIR}/DocumentReference/_search",
            data={"patient.identifier": WHOSE},
            headers=dmp.headers,
        )

        assert by_get.status_code == by_post.status_code == 200
        assert ids_of(by_get.json()) == ids_of(by_post.json()) == [entry]
        assert (by_get.json()["type"], by_get.json()["total"]) == ("searchset", 1)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("type", "11502-2"),
            ("type", "http://loinc.org|11502-2"),
            ("type", "34112-3,11502-2"),
            ("category", "10"),
            ("status", "current"),
            ("date", "2022-03-15"),
            ("date", "ge2022-03-15"),
            ("date", "le2022-03"),
            ("date", "gt2021"),
            ("date", "lt2022-03-15T08:00:01Z"),
            ("creation", "2022"),
            ("period-start", "ge2022"),
            ("author.family", "doc0042"),
            ("author.given", "Kit"),
            ("author", "899700427885"),
            ("author:identifier", "urn:oid:1.2.250.1.71.4.2.1|899700427885"),
            ("isArchived", "false"),
            ("date", "sa2022-03-14"),
            ("date", "eb2022-03-16"),
            ("date", "2022-03-15T09:00:00+01:00"),
            ("status", ""),
            ("author:Practitioner.family", "doc0042"),
            ("subject.identifier", WHOSE),
            ("subject:Patient.identifier", WHOSE),
            ("patient:Patient.identifier", WHOSE),
        ],
    )
    async def test_finds_when_the_criterion_holds(
        self, dmp: Dmp, entry: str, name: str, value: str
    ) -> None:
        assert ids_of((await dmp.find((name, value))).json()) == [entry]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("type", "34112-3"),
            ("category", "11"),
            ("status", "superseded"),
            ("date", "2022-03-14"),
            ("date", "gt2022-03-15"),
            ("date", "lt2022-03-15T08:00:00Z"),
            ("date", "le2022-02"),
            ("identifier", "urn:oid:2.25.1"),
            ("_id", "01936a5c-7a10-7c3e-9b52-4f1d2c3b5a69"),
            ("period-start", "lt2022"),
            ("period-end", "lt2022"),
            ("author.family", "%"),
            ("author.given", "DOC"),
            ("author", "8997004"),
            ("related", "20221115-1"),
            ("relatesto", "DocumentReference/01936a5c-7a10-7c3e-9b52-4f1d2c3b5a69"),
            ("patient", "Patient/0"),
        ],
    )
    async def test_finds_nothing_when_the_criterion_does_not_hold(
        self, dmp: Dmp, entry: str, name: str, value: str
    ) -> None:
        answer = (await dmp.find((name, value))).json()

        assert (answer["total"], "entry" in answer) == (0, False)

    @pytest.mark.parametrize(
        ("name", "holds", "fails"),
        [
            ("type", "11502-2", "34112-3"),
            ("category", "10", "11"),
            ("status", "current", "superseded"),
            ("patient.identifier", WHOSE, f"urn:oid:{LEO.oid}|{LEO.with_key}"),
            ("security-label", "N", "R"),
        ],
    )
    async def test_asks_for_both_when_a_parameter_is_there_twice(
        self, dmp: Dmp, entry: str, name: str, holds: str, fails: str
    ) -> None:
        """FHIR R4 §3.1.1.4.2: repeated is and, a comma is or."""
        for first, second in ((holds, fails), (fails, holds)):
            if name == "patient.identifier":
                query = f"{name}={first}&{name}={second}"
                found = (await dmp.get(f"/DocumentReference?{query}")).json()
            else:
                found = (await dmp.find((name, first), (name, second))).json()
            assert found["total"] == 0
        assert (await dmp.find((name, holds), (name, holds))).json()["total"] == 1

    async def test_asks_for_both_identifiers(self, dmp: Dmp, entry: str, given: Document) -> None:
        same = f"identifier=urn:oid:{given.unique_id}&identifier=urn:uuid:{entry}"
        assert ids_of((await dmp.get(f"/DocumentReference?{same}")).json()) == [entry]
        other = f"identifier=urn:oid:{given.unique_id}&identifier=urn:oid:2.25.1"
        assert ids_of((await dmp.get(f"/DocumentReference?{other}")).json()) == []

    @pytest.mark.parametrize("name", ["type:not", "status:not", "author.family:exact", "type:text"])
    async def test_refuses_a_modifier_that_it_does_not_know(
        self, dmp: Dmp, entry: str, name: str
    ) -> None:
        """Without it the parameter would mean something else (FHIR R4 §3.1.1.4.4)."""
        refused = await dmp.find((name, "11502-2"))
        assert refused.status_code == 400
        assert set(rules(refused)) == {"MHD-SEARCH-MODIFIER"}

    @pytest.mark.parametrize(("name", "value"), [("_count", "0"), ("_summary", "count")])
    @pytest.mark.parametrize("kind", ["DocumentReference", "List"])
    async def test_gives_only_the_number(
        self, dmp: Dmp, entry: str, kind: str, name: str, value: str
    ) -> None:
        found = await dmp.get(f"/{kind}?patient.identifier={WHOSE}&{name}={value}")
        assert found.status_code == 200
        assert (found.json()["total"], "entry" in found.json()) == (1, False)
        assert set(links(found)) == {"self"}

    async def test_takes_a_plus_sign_that_was_not_encoded(self, dmp: Dmp, entry: str) -> None:
        found = await dmp.get(
            f"/DocumentReference?patient.identifier={WHOSE}&date=2022-03-15T09:00:00+01:00"
        )
        assert ids_of(found.json()) == [entry]

    @pytest.mark.parametrize("kind", ["DocumentReference", "List"])
    async def test_refuses_an_unknown_parameter_where_the_client_prefers_that(
        self, dmp: Dmp, kind: str
    ) -> None:
        url = f"{FHIR}/{kind}?patient.identifier={WHOSE}&colour=red"
        headers = {**dmp.headers, "Prefer": "handling=strict"}
        refused = await dmp.http.get(url, headers=headers)
        assert refused.status_code == 400
        assert set(rules(refused)) == {"MHD-SEARCH-UNKNOWN"}

    async def test_finds_within_both_bounds_when_two_dates_are_given(
        self, dmp: Dmp, entry: str
    ) -> None:
        inside = await dmp.find(("date", "ge2022-03-01"), ("date", "lt2022-04-01"))
        outside = await dmp.find(("date", "ge2022-03-01"), ("date", "lt2022-03-15"))

        assert ids_of(inside.json()) == [entry]
        assert ids_of(outside.json()) == []

    async def test_finds_by_each_identifier_when_no_patient_is_named(
        self, dmp: Dmp, entry: str, given: Document
    ) -> None:
        for identifier in (
            f"urn:ietf:rfc:3986|urn:oid:{given.unique_id}",
            f"urn:oid:{given.unique_id}",
            f"urn:ietf:rfc:3986|urn:uuid:{entry}",
        ):
            found = await dmp.get(f"/DocumentReference?identifier={identifier}")
            assert ids_of(found.json()) == [entry], identifier

    async def test_says_how_it_searched_when_a_parameter_is_unknown(
        self, dmp: Dmp, entry: str
    ) -> None:
        response = await dmp.find(("colour", "SA25"), ("type", "11502-2"))

        assert ids_of(response.json()) == [entry]
        applied = httpx.URL(links(response)["self"]).params
        assert dict(applied) == {"patient.identifier": WHOSE, "type": "11502-2"}

    async def test_shows_only_this_patient_when_another_has_documents(
        self, dmp: Dmp, entry: str
    ) -> None:
        await dmp.say(LEO)
        other = await dmp.deposit(document(LEO))

        assert ids_of((await dmp.find()).json()) == [entry]
        assert ids_of((await dmp.find(ins=LEO)).json()) == [other]

    async def test_finds_nothing_when_the_document_is_of_another_space(
        self, dmp: Dmp, entry: str, neighbour: Dmp, given: Document
    ) -> None:
        by_patient = await neighbour.find()
        by_identifier = await neighbour.get(f"/DocumentReference?identifier={given.unique_id}")

        assert by_patient.json()["total"] == by_identifier.json()["total"] == 0


async def test_finds_by_what_a_document_relates_to_and_belongs_to(dmp: Dmp) -> None:
    reference = "20221115-1^^^&1.2.250.1.999.2&ISO^urn:ihe:iti:xds:2013:accession"
    lot = Lot(changes={"reference_ids": (reference,)})
    assert (await post(dmp.http, "repository", lot.message(), dmp.headers)).status == "Success"
    [old] = ids_of((await dmp.find(("related", "20221115-1"))).json())

    successor = document(seed=1)
    bundle = successor.bundle
    target = {"reference": f"DocumentReference/{old}"}
    resource(bundle, "DocumentReference")["relatesTo"] = [{"code": "replaces", "target": target}]
    assert (await dmp.provide(bundle)).status_code == 200

    for named in (f"DocumentReference/{old}", f"urn:oid:{lot.documents[0].unique_id}"):
        [found] = (await dmp.find(("relatesto", named))).json()["entry"]
        assert found["resource"]["masterIdentifier"]["value"].endswith(successor.unique_id)


async def test_finds_by_id_whatever_has_changed_since(dmp: Dmp) -> None:
    entry = await dmp.deposit(document())
    await patch(dmp, entry, replaces("/securityLabel/0", MASKED))
    assert ids_of((await dmp.find(("_id", entry))).json()) == [entry]


class TestPages:
    async def test_gives_each_document_once_newest_first_when_paged_to_the_end(
        self, dmp: Dmp
    ) -> None:
        # Two of each instant: the cursor has to tell documents of the same second apart.
        instants = [CREATED + timedelta(days=day) for day in (0, 0, 1, 1, 2, 2, 3)]
        deposited = [await dmp.deposit(document(created_at=at)) for at in instants]

        pages, response = [], await dmp.find(("_count", "2"))
        while True:
            assert response.json()["total"] == 7
            pages.append(ids_of(response.json()))
            following = links(response).get("next")
            if following is None:
                break
            path = following.removeprefix("http://localhost:8080")
            response = await dmp.http.get(path, headers=dmp.headers)

        found = [entry for page in pages for entry in page]
        assert [len(page) for page in pages] == [2, 2, 2, 1]
        assert sorted(found) == sorted(deposited)
        created = [instants[deposited.index(entry)] for entry in found]
        assert created == sorted(created, reverse=True)

    @pytest.mark.parametrize("sort", ["date", "-creation", "_lastUpdated", "-_lastUpdated"])
    async def test_are_sorted_as_the_client_asks(self, dmp: Dmp, sort: str) -> None:
        instants = [CREATED + timedelta(days=day) for day in (1, 0, 2, 0, 1)]
        deposited = [await dmp.deposit(document(created_at=at)) for at in instants]

        found, response = [], await dmp.find(("_count", "2"), ("_sort", sort))
        while True:
            found += ids_of(response.json())
            following = links(response).get("next")
            if following is None:
                break
            path = following.removeprefix("http://localhost:8080")
            response = await dmp.http.get(path, headers=dmp.headers)

        assert sorted(found) == sorted(deposited)
        order = [deposited.index(entry) for entry in found]
        if "_lastUpdated" in sort:
            assert order == sorted(order, reverse=sort.startswith("-"))
        else:
            days = [instants[place] for place in order]
            assert days == sorted(days, reverse=sort.startswith("-"))

    async def test_say_when_they_are_not_sorted_as_asked(self, dmp: Dmp) -> None:
        await dmp.deposit(document())
        answer = await dmp.find(("_sort", "author"))
        assert (len(ids_of(answer.json())), "_sort" in links(answer)["self"]) == (1, False)

    async def test_has_no_next_when_the_page_holds_exactly_all(self, dmp: Dmp) -> None:
        for _ in range(2):
            await dmp.deposit(document())

        assert "next" not in links(await dmp.find(("_count", "2")))

    async def test_misses_none_when_one_is_deposited_between_pages(self, dmp: Dmp) -> None:
        old = [await dmp.deposit(document(created_at=CREATED)) for _ in range(3)]
        first = await dmp.find(("_count", "2"))
        await dmp.deposit(document(created_at=datetime(2022, 5, 1, tzinfo=UTC)))
        path = links(first)["next"].removeprefix("http://localhost:8080")
        second = await dmp.http.get(path, headers=dmp.headers)

        assert sorted(ids_of(first.json()) + ids_of(second.json())) == sorted(old)


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "value", "rule"),
        [
            ("patient.identifier", ANNE.with_key, "PATIENT.IDENTIFIER"),
            ("patient.identifier", f"urn:oid:1.2.3|{ANNE.with_key}", "PATIENT.IDENTIFIER"),
            ("patient.identifier", f"urn:oid:{ANNE.oid}|279035121518900", "PATIENT.IDENTIFIER"),
            ("status", "final", "STATUS"),
            ("date", "15/03/2022", "DATE"),
            ("date", "2022-02-30", "DATE"),
            ("date", "9999-12-31", "DATE"),
            ("date", "0001-01-01", "DATE"),
            ("date", "ap2022", "DATE"),
            ("_count", "-1", "COUNT"),
            ("_count", "9" * 5000, "COUNT"),
            ("_id", "42", "ID"),
            ("_cursor", "bm90IG91cnM=", "CURSOR"),
            ("type", "\0", "TYPE"),
            ("identifier", "urn:oid:2.25\0", "IDENTIFIER"),
        ],
    )
    async def test_names_the_parameter_when_its_value_is_bad(
        self, dmp: Dmp, name: str, value: str, rule: str
    ) -> None:
        response = await dmp.find((name, value))

        assert response.status_code == 400
        assert rules(response) == {f"MHD-SEARCH-{rule}": f"DocumentReference?{name}"}

    async def test_names_every_parameter_when_several_are_bad(self, dmp: Dmp) -> None:
        response = await dmp.find(("date", "x"), ("_count", "x"), ("status", "x"))

        assert rules(response).keys() == {
            "MHD-SEARCH-DATE", "MHD-SEARCH-COUNT", "MHD-SEARCH-STATUS",
        }  # fmt: skip

    async def test_refuses_when_neither_patient_nor_document_is_named(self, dmp: Dmp) -> None:
        response = await dmp.get("/DocumentReference?type=11502-2")

        assert response.status_code == 400
        assert rules(response) == {
            "MHD-SEARCH-PATIENT.IDENTIFIER": "DocumentReference?patient.identifier"
        }


class TestRead:
    async def test_gives_what_was_sent_and_what_the_registry_knows(
        self, dmp: Dmp, entry: str, given: Document
    ) -> None:
        response = await dmp.get(f"/DocumentReference/{entry}")

        found = response.json()
        values = {identifier["value"] for identifier in found["identifier"]}
        assert response.status_code == 200
        assert response.headers["etag"] == 'W/"1"'
        assert found["masterIdentifier"]["value"] == f"urn:oid:{given.unique_id}"
        assert values == {f"urn:uuid:{entry}"}
        assert found["status"] == "current"
        assert found["content"][0]["attachment"]["size"] == len(given.content)
        assert found["author"] == [{"reference": "#author"}]

    async def test_leads_to_the_bytes_when_its_url_is_followed(
        self, dmp: Dmp, entry: str, given: Document
    ) -> None:
        found = (await dmp.find()).json()["entry"][0]["resource"]
        url = found["content"][0]["attachment"]["url"]

        response = await dmp.http.get(
            url.removeprefix("http://localhost:8080"), headers=dmp.headers
        )

        assert response.content == given.content

    @pytest.mark.parametrize("unknown", ["01936a5c-7a10-7c3e-9b52-4f1d2c3b5a69", "42", "%00"])
    async def test_answers_404_when_the_id_is_unknown(self, dmp: Dmp, unknown: str) -> None:
        response = await dmp.get(f"/DocumentReference/{unknown}")

        assert response.status_code == 404
        assert rules(response).keys() == {"document_unknown"}

    async def test_answers_404_when_the_document_is_of_another_space(
        self, dmp: Dmp, entry: str, neighbour: Dmp
    ) -> None:
        assert (await neighbour.get(f"/DocumentReference/{entry}")).status_code == 404
