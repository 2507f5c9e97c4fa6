"""What usage refuses, and that nothing moves when it does."""

from typing import Any

import pytest

from .conftest import FINESS, Usage, act


class TestIndicator:
    @pytest.mark.parametrize(
        ("path", "query", "status", "error"),
        [
            ("/usage/indicators/SU9", {"structure": FINESS}, 404, "indicator_unknown"),
            ("/usage/indicators/SU4", {"structure": FINESS, "window": "F5"}, 404, "window_unknown"),
            ("/usage/indicators/SU4", {"structure": "9B0000009"}, 404, "structure_unknown"),
            ("/usage/indicators/SU4", {"structure": "\0"}, 400, "invalid_request_body"),
            ("/usage/indicators/SU4", {}, 400, "invalid_request_body"),
            ("/usage/indicators/SU4", {"structure": FINESS, "from": "2022-01-01"}, 400, "period"),
            (
                "/usage/indicators/SU4",
                {"structure": FINESS, "from": "2022-07-01", "to": "2022-07-01"},
                400, "period",
            ),
            (
                "/usage/indicators/SU4",
                {"structure": FINESS, "from": "0001-01-01", "to": "2022-07-01"},
                400, "period",
            ),
        ],
    )  # fmt: skip
    async def test_says_why_when_it_cannot_be_computed(
        self, usage: Usage, path: str, query: dict[str, str], status: int, error: str
    ) -> None:
        response = await usage.http.get(path, params=query, headers=usage.headers)

        assert (response.status_code, response.json()["error"]) == (status, error)
        assert response.json()["detail"]

    async def test_names_what_exists_when_the_name_is_unknown(self, usage: Usage) -> None:
        query = {"structure": FINESS, "window": "F5"}
        response = await usage.http.get(
            "/usage/indicators/SU4", params=query, headers=usage.headers
        )
        assert "F1, F2, F3, F4" in response.json()["detail"]

    async def test_challenges_when_there_is_no_token(self, usage: Usage) -> None:
        response = await usage.http.get("/usage/indicators/SU4", params={"structure": FINESS})

        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith("Bearer")


class TestActivity:
    @pytest.mark.parametrize(
        ("changes", "path"),
        [
            ({"kind": "stay.opened"}, "/body/acts/1/kind"),
            ({"domain": "dentistry"}, "/body/acts/1/domain"),
            ({"domain": None}, "/body/acts/1/domain"),
            ({"kind": "stay.closed"}, "/body/acts/1/domain"),
            ({"structure": None}, "/body/acts/1/structure"),
            ({"flags": ["apcv"]}, "/body/acts/1/flags"),
            ({"professional": "1234"}, "/body/acts/1/professional"),
            ({"structure": "123"}, "/body/acts/1/structure"),
            ({"act_id": ""}, "/body/acts/1/act_id"),
            ({"act_id": "a\0"}, "/body/acts/1/act_id"),
            ({"act_id": "x" * 201}, "/body/acts/1/act_id"),
            ({"act_at": "2022-03-15T09:00:00"}, "/body/acts/1/act_at"),
            ({"act_at": "0001-01-01T00:00:00+14:00"}, "/body/acts/1/act_at"),
            ({"extra": 1}, "/body/acts/1/extra"),
        ],
    )
    async def test_counts_none_and_names_the_field_when_one_act_is_bad(
        self, usage: Usage, changes: dict[str, Any], path: str
    ) -> None:
        response = await usage.declare(act(), {**act(), **changes})

        assert response.status_code == 400
        assert [problem["path"] for problem in response.json()["problems"]] == [path]
        assert await usage.counted() == (0, 0)
        assert await usage.events_told() == 0

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"acts": []}'])
    async def test_refuses_when_the_body_is_no_declaration(self, usage: Usage, body: bytes) -> None:
        response = await usage.http.post(
            "/usage/activity",
            content=body,
            headers={**usage.headers, "Content-Type": "application/json"},
        )
        assert response.status_code == 400
        assert response.json()["problems"]

    async def test_tells_the_log_when_acts_are_declared(self, usage: Usage) -> None:
        await usage.declare(act(), act())
        assert await usage.events_told() == 2

    async def test_refuses_a_structure_when_its_number_or_name_is_bad(self, usage: Usage) -> None:
        for number, name in (("123", "x"), ("9B0000001", ""), ("9B0000001", "a\0")):
            response = await usage.http.put(
                f"/usage/structures/{number}", json={"name": name}, headers=usage.headers
            )
            assert response.status_code == 400, (number, name)
