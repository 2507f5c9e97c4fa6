"""Every CNDA scenario is answered as its file says: the file is the test."""

from typing import Any

import httpx
import pytest
from lxml import etree

from services.ins.domain.official import official_people
from services.ins.domain.scenarios import scenarios

from .conftest import ACTION, NS, InsiClient, addressing, bam, envelope, lps, rules, traits_body
from .test_search_by_card import ACTION as CARD_ACTION
from .test_search_by_card import card_body, covered, number

STEPS = [(one["test"], step) for one in scenarios() for step in one["steps"]]


def written(step: dict[str, Any]) -> bytes:
    if "traits" in step:
        return envelope(traits_body(*step["traits"]), bam(), lps(), addressing(ACTION))
    card, coverage = step["card"], step.get("coverage")
    numbers = [
        number(element, card[name])
        for name, element in (("own", "MatriculeIndividu"), ("insured", "MatriculeOD"))
        if name in card
    ]
    elements = {
        element: str(card[name])
        for name, element in (
            ("family", "NomNaissance"), ("born", "DateNaissance"), ("rank", "RangNaissance"),
        )
        if name in card
    }  # fmt: skip
    context = covered(coverage["insured"], coverage["own"], coverage["born"]) if coverage else bam()
    return envelope(card_body(*numbers, **elements), context, lps(), addressing(CARD_ACTION))


@pytest.mark.parametrize(("test", "step"), STEPS, ids=[f"{test}" for test, _ in STEPS])
async def test_step(insi: InsiClient, test: str, step: dict[str, Any]) -> None:
    answer = await insi.post(written(step))
    if "fault" in step:
        assert step["fault"] in rules(answer)
        return
    root = etree.fromstring(answer.content)
    assert root.findtext(".//r:CodeCR", None, NS) == step["cr"]
    if "number" in step:
        assert root.findtext(".//r:INSACTIF//r:NumIdentifiant", None, NS) == step["number"]
    former = [found.text for found in root.iterfind(".//r:INSHISTO//r:NumIdentifiant", NS)]
    assert former == step.get("history", [])


def test_every_official_person_has_a_scenario() -> None:
    named = {one["test"] for one in scenarios()}
    assert {test for person in official_people() for test in person.cnda_tests} <= named


async def test_are_listed_by_the_control_plane(http: httpx.AsyncClient, space: str) -> None:
    listed = (await http.get(f"/s/{space}/_sandbox/ins/scenarios")).json()
    assert listed == list(scenarios())
