"""SU4 as it is counted: which documents, once each, in which period, of which structure."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from .conftest import FINESS, MARCH, Usage, act

INSTANT = timedelta(microseconds=1)
F1_STARTS = datetime.fromisoformat("2022-01-01T00:00:00+01:00")
F1_ENDS = datetime.fromisoformat("2022-07-01T00:00:00+02:00")  # summer time by then


class TestNumerator:
    async def test_counts_a_report_when_everything_is_right(self, usage: Usage) -> None:
        await usage.consume(usage.registered())
        assert await usage.counted() == (1, 0)

    @pytest.mark.parametrize(
        "changes",
        [
            {"level": "N1"},
            {"type_code": "34112-3"},
            {"qualified": False},
            {"structure": "0B0193488"},
            {"structure": None},
            {"structure_kind": "siren", "structure": FINESS},
            {"created_at": F1_STARTS - INSTANT},
            {"created_at": F1_ENDS},
        ],
    )
    async def test_leaves_a_document_out_when_one_condition_fails(
        self, usage: Usage, changes: dict[str, Any]
    ) -> None:
        await usage.consume(usage.registered(**changes))
        assert await usage.counted() == (0, 0)

    @pytest.mark.parametrize("at", [F1_STARTS, F1_ENDS - INSTANT])
    async def test_counts_at_both_borders_of_the_paris_period(
        self, usage: Usage, at: datetime
    ) -> None:
        await usage.consume(usage.registered(created_at=at))
        await usage.declare(act(at=at))

        assert await usage.counted() == (1, 1)

    async def test_counts_in_the_next_window_when_the_act_is_at_the_end_of_one(
        self, usage: Usage
    ) -> None:
        await usage.consume(usage.registered(created_at=F1_ENDS))

        assert await usage.counted(window="F1") == (0, 0)
        assert await usage.counted(window="F2") == (1, 0)

    async def test_counts_within_the_days_that_are_asked_for(self, usage: Usage) -> None:
        await usage.consume(
            usage.registered(created_at=MARCH),
            usage.registered(created_at=MARCH + timedelta(days=1)),
        )
        days = {"from": "2022-03-15", "to": "2022-03-16"}

        assert await usage.counted(**days) == (1, 0)


class TestOnce:
    async def test_counts_once_when_the_same_event_comes_twice(self, usage: Usage) -> None:
        event = usage.registered()
        await usage.consume(event, event)
        await usage.consume(event)

        assert await usage.counted() == (1, 0)

    async def test_counts_once_when_the_same_document_is_registered_again(
        self, usage: Usage
    ) -> None:
        first = usage.registered()
        await usage.consume(first)
        await usage.consume(usage.registered(logical_id=first.data["logical_id"]))

        assert await usage.counted() == (1, 0)

    async def test_counts_once_when_the_same_act_is_declared_again(self, usage: Usage) -> None:
        one = act()
        first, second = await usage.declare(one), await usage.declare(one, one)

        assert (first.status_code, second.status_code) == (201, 201)
        assert await usage.counted() == (0, 1)

    async def test_counts_once_when_its_own_event_comes_back(self, usage: Usage) -> None:
        await usage.declare(act(act_id="A1"))
        data = act(act_id="A1")
        event = usage.registered()
        event = type(event).new(
            "usage.activity.declared.v1", source="/usage", subject=FINESS, space=usage.space,
            time=event.time, data=data,
        )  # fmt: skip
        await usage.consume(event, event)

        assert await usage.counted() == (0, 1)

    async def test_ignores_events_of_other_types(self, usage: Usage) -> None:
        event = usage.registered()
        other = type(event).new(
            "dmp.document.archived.v1", source="/dmp", subject="x", space=usage.space,
            time=event.time, data={},
        )  # fmt: skip
        await usage.consume(other)

        assert await usage.counted() == (0, 0)


class TestDeletion:
    async def test_takes_the_document_out(self, usage: Usage) -> None:
        kept, deleted = usage.registered(), usage.registered()
        await usage.consume(kept, deleted)
        await usage.consume(usage.deleted(deleted))
        assert await usage.counted() == (1, 0)

    async def test_takes_it_out_whichever_event_comes_first_and_however_often(
        self, usage: Usage
    ) -> None:
        event = usage.registered()
        deletion = usage.deleted(event)
        await usage.consume(deletion, event)
        await usage.consume(event, deletion)
        assert await usage.counted() == (0, 0)

    async def test_takes_out_the_chain_whose_last_document_is_deleted(self, usage: Usage) -> None:
        first = usage.registered()
        chain = first.data["logical_id"]
        second = usage.registered(chain_id=chain)
        await usage.consume(first, second)
        await usage.consume(usage.deleted(second))
        assert await usage.counted() == (0, 0)

    @pytest.mark.parametrize(("at", "counted"), [(F1_ENDS - INSTANT, (0, 0)), (F1_ENDS, (1, 0))])
    async def test_changes_nothing_in_a_period_that_is_over(
        self, usage: Usage, at: datetime, counted: tuple[int, int]
    ) -> None:
        event = usage.registered()
        await usage.consume(event, usage.deleted(event, at=at))
        assert await usage.counted() == counted

    async def test_takes_it_out_of_quarantine(self, usage: Usage) -> None:
        event = usage.registered(structure="9B0000001")
        await usage.consume(event, usage.deleted(event))
        held = await usage.http.get("/usage/quarantine", headers=usage.headers)
        assert held.json()["documents"] == 0

    async def test_is_of_one_space(self, usage: Usage, neighbour: Usage) -> None:
        event = usage.registered()
        await usage.consume(event, neighbour.deleted(event))
        assert await usage.counted() == (1, 0)


class TestRate:
    async def test_is_met_exactly_at_the_target(self, usage: Usage) -> None:
        await usage.consume(*(usage.registered() for _ in range(9)))
        await usage.declare(*(act() for _ in range(20)))

        measure = await usage.su4()

        assert measure["value"] == {"percent": "45.00", "exact": "45"}
        assert (measure["target"]["percent"], measure["status"]) == (45, "met")
        assert measure["met"] is True
        for number in ("numerator", "denominator", "target"):
            assert measure[number]["source"]
            assert measure[number]["confidence"]

    async def test_is_not_met_when_it_only_rounds_to_the_target(self, usage: Usage) -> None:
        await usage.consume(*(usage.registered() for _ in range(4)))
        await usage.declare(*(act() for _ in range(9)))

        measure = await usage.su4()

        assert (measure["value"]["exact"], measure["status"]) == ("400/9", "not_met")

    async def test_is_not_applicable_when_nothing_was_produced(self, usage: Usage) -> None:
        measure = await usage.su4()

        assert measure["value"] == {"percent": None, "exact": None}
        assert (measure["status"], measure["met"]) == ("not_applicable", False)

    async def test_is_an_error_of_the_data_when_documents_exceed_acts(self, usage: Usage) -> None:
        await usage.consume(usage.registered())
        assert (await usage.su4())["status"] == "data_error"


class TestQuarantine:
    UNKNOWN = "9B0000001"

    async def test_holds_documents_until_their_structure_is_declared(self, usage: Usage) -> None:
        await usage.consume(
            usage.registered(structure=self.UNKNOWN), usage.registered(structure=self.UNKNOWN)
        )
        await usage.declare(act(structure=self.UNKNOWN))
        held = await usage.http.get("/usage/quarantine", headers=usage.headers)
        declared = await usage.http.put(
            f"/usage/structures/{self.UNKNOWN}", json={"name": "Clinique"}, headers=usage.headers
        )
        freed = await usage.http.get("/usage/quarantine", headers=usage.headers)

        assert held.json() == {
            "documents": 2,
            "by_structure": {self.UNKNOWN: 2},
            "acts": 1,
            "acts_by_structure": {self.UNKNOWN: 1},
            "next": None,
        }
        assert declared.status_code == 200
        assert freed.json() == {
            "documents": 0, "by_structure": {}, "acts": 0, "acts_by_structure": {}, "next": None
        }  # fmt: skip
        assert await usage.counted(self.UNKNOWN) == (2, 1)

    async def test_shows_documents_whose_author_is_no_finess(self, usage: Usage) -> None:
        await usage.consume(
            usage.registered(structure_kind="siren", structure="356000000"),
            usage.registered(structure=None),
        )
        held = await usage.http.get("/usage/quarantine", headers=usage.headers)

        assert held.json()["by_structure"] == {"": 1, "siren:356000000": 1}


class TestSpaces:
    async def test_keeps_counts_apart(self, usage: Usage, neighbour: Usage) -> None:
        event = usage.registered()
        await usage.consume(event)
        await usage.declare(act(act_id="A1"))
        await usage.consume(neighbour.registered(logical_id=event.data["logical_id"]))

        assert await usage.counted() == (1, 1)
        assert await neighbour.counted() == (1, 0)

    async def test_keeps_structures_apart(self, usage: Usage, neighbour: Usage) -> None:
        await usage.http.put(
            "/usage/structures/9B0000001", json={"name": "Clinique"}, headers=usage.headers
        )
        response = await neighbour.http.get(
            "/usage/indicators/SU4", params={"structure": "9B0000001"}, headers=neighbour.headers
        )
        assert response.status_code == 404
