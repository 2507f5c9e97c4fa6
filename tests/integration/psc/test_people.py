"""The directory of a space: one by one, by extraction, in any number, and found again."""

from typing import Any

import httpx
import pytest

from socle.people.population import population

from .conftest import GENERALIST, RelyingParty

PEOPLE = "/_sandbox/psc/people"


async def call(party: RelyingParty, method: str, path: str = "", **more: Any) -> httpx.Response:
    return await party.http.request(method, f"{party.prefix}{PEOPLE}{path}", **more)


async def found(party: RelyingParty, **query: Any) -> list[str]:
    answer = await call(party, "GET", params=query)
    assert answer.status_code == 200, answer.text
    return [person["SubjectNameID"] for person in answer.json()]


class TestOneByOne:
    async def test_person_can_be_read_and_removed(self, party: RelyingParty) -> None:
        tokens = await party.tokens()
        read = await call(party, "GET", f"/{GENERALIST}")
        assert read.json()["family_name"] == "DOC0042788"
        assert (await call(party, "DELETE", f"/{GENERALIST}")).status_code == 204
        assert (await call(party, "GET", f"/{GENERALIST}")).status_code == 404
        assert (await call(party, "DELETE", f"/{GENERALIST}")).status_code == 404
        assert (await party.userinfo(tokens["access_token"])).status_code == 401

    async def test_identifier_with_a_slash_is_one_identifier(self, party: RelyingParty) -> None:
        staff = next(one for one in await found(party) if "/" in one)
        for path in (f"/{staff}", f"/{staff.replace('/', '%2F')}"):
            assert (await call(party, "GET", path)).json()["SubjectNameID"] == staff

    @pytest.mark.parametrize("path", ["/nobody", "/%00", "/é", "/" + "9" * 500])
    async def test_nonsense_is_nobody(self, party: RelyingParty, path: str) -> None:
        assert (await call(party, "GET", path)).status_code == 404


class TestSearch:
    @pytest.mark.parametrize(
        "beginning",
        ["d'ete-lefevre", "D’ÉTÉ LEFÈVRE", "marie josephine d", "MARIE-JOSÉPHINE", "899703001042"],
    )
    async def test_accents_hyphens_and_order_do_not_matter(
        self, party: RelyingParty, beginning: str
    ) -> None:
        assert "899703001042" in await found(party, q=beginning)

    @pytest.mark.parametrize("beginning", ["%", "_", "zzz", "\\", "%%DOC"])
    async def test_nothing_is_a_pattern(self, party: RelyingParty, beginning: str) -> None:
        assert await found(party, q=beginning) == []

    async def test_pages_go_through_everyone_once(self, party: RelyingParty) -> None:
        everyone, seen, after = await found(party), [], None
        while page := await found(party, limit=3, **({"after": after} if after else {})):
            seen += page
            after = page[-1]
        assert seen == everyone


class TestSynthetic:
    async def test_same_request_twice_changes_nothing(self, party: RelyingParty) -> None:
        before = len(await found(party))
        for _ in range(2):
            answer = await call(party, "POST", "/synthetic", json={"count": 300, "seed": 4})
            assert answer.json()["stored"] == 300
        assert len(await found(party)) == before + 300

    async def test_person_logs_in(self, party: RelyingParty) -> None:
        await call(party, "POST", "/synthetic", json={"count": 5, "seed": 9})
        person = next(population(9, 4, 1))
        tokens = await party.tokens(login_hint=person.SubjectNameID)
        userinfo = (await party.userinfo(tokens["access_token"])).json()
        assert userinfo["family_name"] == person.family_name

    @pytest.mark.parametrize("body", [{"count": 0}, {"count": 10**9}, {"count": 1, "seed": -1}])
    async def test_limits_are_told(self, party: RelyingParty, body: dict[str, int]) -> None:
        assert (await call(party, "POST", "/synthetic", json=body)).status_code == 400


class TestExtraction:
    async def test_one_space_can_be_carried_to_another(
        self, party: RelyingParty, http: httpx.AsyncClient
    ) -> None:
        await call(party, "POST", "/synthetic", json={"count": 2500})
        export = await call(party, "GET", "/rass")
        assert export.headers["content-type"] == "text/plain; charset=utf-8"
        assert export.text.count("Type d'identifiant PP") == 1
        other = RelyingParty(http, f"{party.space}-b", party.database)
        answer = await call(other, "POST", "/rass", content=export.content)
        assert answer.status_code == 200, answer.text
        assert set(await found(other, limit=10_000)) == set(await found(party, limit=10_000))
        again = await call(other, "GET", "/rass")
        assert sorted(again.text.splitlines()) == sorted(export.text.splitlines())

    async def test_nobody_is_stored_when_a_line_is_wrong(self, party: RelyingParty) -> None:
        text = (await call(party, "GET", "/rass")).text.replace("DOC0042788|KIT", "|KIT")
        await call(party, "DELETE", f"/{GENERALIST}")
        count = len(await found(party))
        answer = await call(party, "POST", "/rass", content=text.encode())
        assert answer.status_code == 422
        assert answer.json()["problems"][0]["path"].endswith("/family_name")
        assert len(await found(party)) == count
        kept = await call(
            party, "POST", "/rass", content=text.encode(), params={"skip_refused": True}
        )
        assert kept.status_code == 200
        assert kept.json()["problems"]

    @pytest.mark.parametrize(
        "content", [b"", b"\xff\xfe", "Prénoms".encode("latin-1"), b"{}", b"\x00" * 100]
    )
    async def test_what_is_no_extraction_is_refused(
        self, party: RelyingParty, content: bytes
    ) -> None:
        answer = await call(party, "POST", "/rass", content=content)
        assert answer.status_code == 422
        assert answer.json()["error"].startswith("rass_")


class TestLoginPage:
    async def test_search_finds_one_among_many(self, party: RelyingParty) -> None:
        await call(party, "POST", "/synthetic", json={"count": 200})
        page = await party.authorize(login_hint=None)
        assert 'role="search"' in page.text
        someone = next(population(0, 150, 1))
        assert someone.SubjectNameID not in page.text
        login = page.text.partition('name="login" value="')[2].partition('"')[0]
        path = "/auth/realms/esante-wallet/login-actions/authenticate"
        query = {"login": login, "space": party.space, "q": someone.family_name.lower()}
        answer = await party.http.get(f"{party.prefix}{path}", params=query)
        assert someone.SubjectNameID in answer.text
        assert "résultat" in answer.text
        query["q"] = '"><script>%_'
        hostile = await party.http.get(f"{party.prefix}{path}", params=query)
        assert hostile.status_code == 200
        assert "<script>" not in hostile.text.partition("</head>")[2]

    async def test_few_people_need_no_search(self, party: RelyingParty) -> None:
        assert 'role="search"' not in (await party.authorize(login_hint=None)).text
