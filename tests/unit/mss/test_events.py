"""The events of the mail service keep to their schemas."""

import json
from pathlib import Path

import jsonschema
import orjson
import pytest

import socle.events
from services.mss import events
from services.mss.domain.headers import read_facts
from socle.clock import wall
from socle.idgen import uuid7

FOLDER = Path(socle.events.__file__).parent
HEADER = b"Message-ID: <1@x>\r\nX-MSS-CODECDA: 11502-2, PRESC-BIO\r\nX-MSS-INS: O\r\n\r\n"


def check(type_: str, data: object) -> None:
    schema = json.loads((FOLDER / "schemas" / f"{type_}.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(data)


@pytest.mark.parametrize("type_", [events.ACCEPTED, events.DELIVERED])
def test_examples_are_valid(type_: str) -> None:
    for example in json.loads((FOLDER / "examples" / f"{type_}.json").read_text()):
        check(type_, example["data"])


def test_what_is_emitted_is_valid() -> None:
    made = events.message_accepted(
        "demo", uuid7(), wall(), sender_kind="PER", recipient_kinds={"ORG": 1}, size=3,
        facts=read_facts(HEADER),
    )  # fmt: skip
    data = orjson.loads(made.value)["data"]
    check(events.ACCEPTED, data)
    assert data["cda_codes"] == ["11502-2", "PRESC-BIO"]
    check(events.DELIVERED, events.message_delivered("demo", uuid7(), wall(), "PER").data)
