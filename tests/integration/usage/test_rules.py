"""Rule files over the API: what is in force, and files that a space brings."""

from typing import Any

import httpx
import pytest

from .conftest import FINESS, Usage

SUN = "sun-es-volet-1"


async def read(usage: Usage, path: str = f"/{SUN}", **query: str) -> Any:
    response = await usage.http.get(f"/usage/rules{path}", params=query, headers=usage.headers)
    assert response.status_code == 200, response.text
    return response.json()


async def put(usage: Usage, body: Any, name: str = SUN) -> httpx.Response:
    content = {"content": body} if isinstance(body, bytes) else {"json": body}
    return await usage.http.put(f"/usage/rules/{name}", headers=usage.headers, **content)


async def own(usage: Usage, version: str = "ours", target: int = 40) -> dict[str, Any]:
    """The shipped file of SUN-ES with another target for SU4 in F1."""
    raw: dict[str, Any] = await read(usage, version="2021-08.3")
    raw["version"] = version
    raw["indicators"]["SU4"]["targets"]["F1"]["value"] = target
    return raw


class TestReading:
    async def test_lists_every_programme_with_its_open_questions(self, usage: Usage) -> None:
        listed = {file["programme"]: file for file in await read(usage, "")}
        assert {SUN, "sun-es-volet-2", "forfait-structure-2022", "vsm", "donum"} <= listed.keys()
        assert listed[SUN]["origin"] == "shipped"
        assert listed[SUN]["options"]["K3"] == "establishment"

    async def test_shows_numbers_with_unit_validity_source_and_confidence(
        self, usage: Usage
    ) -> None:
        target = (await read(usage))["indicators"]["SU4"]["targets"]["F1"]
        assert target == {
            "value": 45,
            "unit": "percent",
            "valid_from": "2022-01-01",
            "valid_to": "2022-07-01",
            "source": "brochure radiologie SUN-ES, ligne 47",
            "confidence": "seed",
            "comparison": ">=",
        }

    async def test_publishes_the_form(self, usage: Usage) -> None:
        schema = await read(usage, "/schema")
        assert "indicators" in schema["properties"]

    @pytest.mark.parametrize(
        ("path", "query"),
        [("/nothing", {}), (f"/{SUN}", {"version": "0"}), ("/nothing/versions", {})],
    )
    async def test_says_what_is_unknown(
        self, usage: Usage, path: str, query: dict[str, str]
    ) -> None:
        response = await usage.http.get(f"/usage/rules{path}", params=query, headers=usage.headers)
        assert response.status_code == 404


class TestOwnFiles:
    async def test_are_in_force_for_the_space_alone(self, usage: Usage, neighbour: Usage) -> None:
        response = await put(usage, await own(usage))
        assert response.status_code == 201, response.text
        assert response.json()["origin"] == "space"

        assert (await usage.su4())["target"]["percent"] == 40
        assert (await usage.su4())["rules_version"] == "ours"
        assert (await neighbour.su4())["target"]["percent"] == 45

    async def test_may_be_of_a_programme_of_one_s_own(self, usage: Usage) -> None:
        raw = await own(usage)
        raw["programme"] = "hopen-2"
        assert (await put(usage, raw, "hopen-2")).status_code == 201
        response = await usage.http.get(
            "/usage/indicators/SU4",
            params={"structure": FINESS, "window": "F1", "programme": "hopen-2"},
            headers=usage.headers,
        )
        assert response.json()["target"]["percent"] == 40

    async def test_keep_their_versions(self, usage: Usage) -> None:
        for version, target in (("a", 41), ("b", 42)):
            await put(usage, await own(usage, version, target))

        assert [v["version"] for v in await read(usage, f"/{SUN}/versions")] == [
            "b",
            "a",
            "2021-08.3",
        ]
        assert (await usage.su4())["target"]["percent"] == 42
        again = await put(usage, await own(usage, "a", 41))
        assert again.status_code == 200
        assert (await usage.su4())["target"]["percent"] == 41

    async def test_are_never_rewritten_under_the_same_version(self, usage: Usage) -> None:
        await put(usage, await own(usage))
        response = await put(usage, await own(usage, target=10))
        assert (response.status_code, response.json()["error"]) == (409, "version_taken")
        assert (await usage.su4())["target"]["percent"] == 40

    async def test_are_forgotten_when_asked(self, usage: Usage) -> None:
        await put(usage, await own(usage))
        for forgotten in (1, 0):
            response = await usage.http.delete(f"/usage/rules/{SUN}", headers=usage.headers)
            assert response.json() == {"forgotten": forgotten}
        assert (await usage.su4())["target"]["percent"] == 45

    async def test_are_refused_with_every_problem(self, usage: Usage) -> None:
        raw = await own(usage)
        del raw["title"]
        raw["indicators"]["SU4"]["targets"]["F1"]["confidence"] = "sure"
        response = await put(usage, raw)

        assert (response.status_code, response.json()["error"]) == (400, "rules_refused")
        paths = {problem["path"] for problem in response.json()["problems"]}
        assert {"/title", "/indicators/SU4/targets/F1/confidence"} <= paths
        assert (await read(usage, ""))[-1]["origin"] == "shipped"

    @pytest.mark.parametrize("body", [b"", b"\0", b"\xff", b"[" * 5000, b"a: &x 1\nb: *x"])
    async def test_are_refused_when_they_are_none(self, usage: Usage, body: bytes) -> None:
        assert (await put(usage, body)).status_code == 400

    @pytest.mark.parametrize(
        ("body", "rule", "path", "told"),
        [
            (b"a: 1\nb: [1,\n", "RULES-SYNTAX", "/", "line 3, column 1"),
            (b"schema: 2\nwindows: {F1: {from: 1, from: 2}}\n", "RULES-TWICE", "/windows/F1/from",
             "line 2"),
            (b'{"schema": 2, "schema": 1}', "RULES-TWICE", "/schema", "line 1"),
        ],
    )  # fmt: skip
    async def test_are_refused_with_the_place_in_the_file(
        self, usage: Usage, body: bytes, rule: str, path: str, told: str
    ) -> None:
        response = await usage.http.put(f"/usage/rules/{SUN}", content=body, headers=usage.headers)
        assert response.status_code == 400
        (problem,) = response.json()["problems"]
        assert (problem["rule"], problem["path"]) == (rule, path)
        assert told in problem["message"]

    async def test_are_refused_by_pointers_into_the_file(self, usage: Usage) -> None:
        raw = await own(usage)
        raw["money"]["cap"]["value"] = -1
        raw["indicators"]["SU4"]["numerator"]["measure"]["types"] = []
        response = await put(usage, raw)
        assert {it["path"] for it in response.json()["problems"]} == {
            "/money/cap/value", "/indicators/SU4/numerator/measure/types",
        }  # fmt: skip

    async def test_are_refused_when_they_are_huge(self, usage: Usage) -> None:
        assert (await put(usage, b" " * 300_000)).status_code == 413
