"""Searches and patches that nobody would write on purpose."""

import random
import string
from urllib.parse import quote

import pytest

from services.mss.annuaire.domain.parameters import PARAMETERS
from services.mss.annuaire.domain.results import RESULT_PARAMETERS
from tests.integration.mss.annuaire.conftest import Directory

pytestmark = pytest.mark.postgres
ODD = [
    "", ",", "\\", "|", "||", "\\,", "a\\", "%", "_", "'", '"', "\x00", "\x1f", "\ud7ff", "\U0010ffff",
    "é" * 300, "9" * 400, "-1", "true", "ge", "ge2026-02-30", "ne9999-12-31", "le0000", "ap0001",
    "sa2026-01-01T23:59:59.999999999+14:00", "lt2026-01-01T00:00:00-99:99", "*", "*:*", "a:b:c:d",
    "Organization/", "/", "Organization/../x", "=", "&", "#", "%00", "$", "1e9", "²", "٣",
]  # fmt: skip
MODIFIERS = ["", ":exact", ":contains", ":text", ":missing", ":not", ":of-type", ":x", ":", "::"]


async def test_no_search_fails(seeded: Directory) -> None:
    draw = random.Random(20261129)
    for turn in range(400):
        kind = draw.choice(list(PARAMETERS))
        names = [*PARAMETERS[kind], *RESULT_PARAMETERS, "x", "_type", ""]
        query = "&".join(
            f"{draw.choice(names)}{draw.choice(MODIFIERS)}={quote(_value(draw), safe='')}"
            for _ in range(draw.randint(1, 4))
        )
        answer = await seeded.get(f"/{kind}?{query}")
        assert answer.status_code in (200, 400, 410), (turn, kind, query, answer.text)


async def test_no_value_is_too_much(seeded: Directory) -> None:
    long = ",".join(["a"] * 1001)
    for path in (
        f"/Practitioner?family={long}",
        "/Practitioner?" + "&".join(["name:contains=a,b,c,d,e,f,g,h"] * 13),
        "/Practitioner?" + "&".join(["given=a"] * 101),
        "/Practitioner/" + "x" * 5000,
        "/" + "x" * 5000,
        "/Practitioner/%00",
        "/Practitioner?_elements=" + ",".join(["x" * 60] * 200),
    ):
        assert (await seeded.get(path)).status_code in (200, 400, 404)
    many = ",".join(f"x{n}" for n in range(1000))
    assert await seeded.found(f"/Practitioner?identifier={many}") == []
    body = await seeded.http.post(
        f"{seeded.base}/Practitioner/_search",
        content=b"given=" + b"a" * 2_000_000,
        headers={"ESANTE-API-KEY": seeded.key},
    )
    assert body.status_code == 413


def _value(draw: random.Random) -> str:
    if draw.random() < 0.7:
        return draw.choice(ODD) + (draw.choice(ODD) if draw.random() < 0.3 else "")
    return "".join(draw.choices(string.printable + "éÉ’œ\u0301", k=draw.randint(1, 30)))
