"""What was refused, by rule, beside the figures: the first thing that a vendor looks for."""

from typing import Any

from socle.events.envelope import Event

from .conftest import FINESS, MARCH, Usage

RPPS = "99700427885"
DOCTOR = f"8{RPPS}"


def refused(usage: Usage, *rules: str, **changes: Any) -> Event:
    data = {
        "patient": None,
        "structure": {"kind": "finess", "number": FINESS},
        "professional": DOCTOR,
        "documents": 1,
        "unique_ids": ["1"],
        "type_codes": ["11502-2"],
        "door": "fhir",
        "rules": list(rules),
        "refused_at": MARCH.isoformat(),
        **changes,
    }
    return Event.new(
        "dmp.document.refused.v1",
        source="/dmp",
        subject="x",
        space=usage.space,
        time=MARCH,
        data=data,
    )


async def counters(usage: Usage, **query: str) -> Any:
    response = await usage.http.get("/usage/counters", params=query, headers=usage.headers)
    assert response.status_code == 200, response.text
    return response.json()["counters"]


class TestRefusals:
    async def test_stand_beside_the_indicator_by_rule(self, usage: Usage) -> None:
        await usage.consume(
            usage.registered(),
            refused(usage, "DMP-INS-QUALIFIED", documents=3),
            refused(usage, "DMP-INS-QUALIFIED", "CDA-HDR-title"),
            refused(usage, "MHD-BUNDLE", documents=0, unique_ids=[], type_codes=[]),
            refused(usage, "OTHER", type_codes=["18748-4"]),
            refused(usage, "LATER", refused_at="2022-07-01T00:00:00+02:00"),
        )
        found = await usage.su4()
        assert found["refused"] == {
            "documents": 5,
            "by_rule": {"DMP-INS-QUALIFIED": 4, "CDA-HDR-title": 1, "MHD-BUNDLE": 1},
        }
        assert await usage.counted() == (1, 0)

    async def test_are_of_their_structure_and_space_alone(
        self, usage: Usage, neighbour: Usage
    ) -> None:
        await usage.consume(refused(usage, "R"), refused(usage, "S", structure=None))
        assert (await usage.su4())["refused"] == {"documents": 1, "by_rule": {"R": 1}}
        assert (await counters(usage))["dmp.refused"] == {
            "count": 2,
            "of_which": {"door:fhir": 2, "type:11502-2": 2, "rule:R": 1, "rule:S": 1},
        }
        assert (await counters(usage, professional=RPPS))["dmp.refused"]["count"] == 2
        assert await counters(usage, structure="0B0193488") == {}
        assert await counters(neighbour) == {}

    async def test_of_a_mail_and_verifications_are_told_with_their_words(
        self, usage: Usage
    ) -> None:
        def event(type_: str, data: dict[str, Any]) -> Event:
            return Event.new(
                type_, source="/x", subject="x", space=usage.space, time=MARCH, data=data
            )

        structure = {"kind": "finess", "number": FINESS}
        verified = {"professional": None, "mode": "batch"}
        await usage.consume(
            event("mss.message.refused.v1", {"structure": structure, "reason": "closed"}),
            event("ins.identity.verified.v1", {**verified, "result": "OK"}),
            event("ins.identity.verified.v1", {**verified, "result": "KO"}),
        )
        assert (await counters(usage, structure=FINESS))["mss.refused"]["of_which"] == {
            "rule:closed": 1
        }
        days = {"from": "2022-03-15", "to": "2022-03-16"}
        assert (await counters(usage, **days))["ins.verified"] == {
            "count": 2,
            "of_which": {"mode:batch": 2, "result:KO": 1, "result:OK": 1},
        }
        assert await counters(usage, **{"from": "2022-03-16", "to": "2022-03-17"}) == {}

    async def test_that_break_more_rules_than_an_index_holds_are_counted(
        self, usage: Usage
    ) -> None:
        rules = [f"R-{number:03}-{'x' * 60} y" for number in range(300)]
        await usage.consume(refused(usage, *rules))
        [(_, found)] = (await counters(usage)).items()
        assert (found["count"], found["of_which"]["~"]) == (1, 1)
        assert len(found["of_which"]) < 30
