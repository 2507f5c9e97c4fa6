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
from socle.events.envelope import Event
from socle.idgen import uuid7
from socle.ids.structures import StructureId

FOLDER = Path(socle.events.__file__).parent
HEADER = b"Message-ID: <1@x>\r\nX-MSS-CODECDA: 11502-2, PRESC-BIO\r\nX-MSS-INS: O\r\n\r\n"


def check(type_: str, data: object) -> None:
    schema = json.loads((FOLDER / "schemas" / f"{type_}.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(data)


PATIENT = "6f1c0f2f4d9b4c6e8a7d5b3c1e0f9a8b"
SENDER = events.Sender("ORG", "899700427885", StructureId("finess", "010007300"))


def emitted() -> list[Event]:
    space, message, at, facts = "demo", uuid7(), wall(), read_facts(HEADER)
    return [
        events.message_accepted(
            space, message, at, sender=SENDER, recipient_kinds={"PATIENT": 1}, patients=[PATIENT],
            size=3, facts=facts,
        ),
        events.message_delivered(
            space, message, at, sender=events.Sender("PATIENT"), recipient_kind="PER", patient=PATIENT,
            facts=facts,
        ),
        events.message_read(
            space, message, at, reader_kind="PATIENT", patient=PATIENT, disposition="displayed",
            failed=False,
        ),
        events.message_replied(
            space, message, at, reply=uuid7(), direction="professional-to-patient", sender=SENDER,
            patient=None,
        ),
        events.message_refused(
            space, message, at, sender=SENDER, recipient_kind=None, patient=None,
            reason="mailbox_unknown", code=550, told_by="smtp", facts=read_facts(b""),
        ),
        events.message_refused(
            space, message, at, sender=SENDER, recipient_kind="EXTERNAL", patient=None,
            reason="not_conformant", code=550, told_by="smtp", facts=facts,
        ),
        events.conversation_closed(
            space, message, at, sender=SENDER, patient=PATIENT, scope="message"
        ),
    ]  # fmt: skip


@pytest.mark.parametrize("event", emitted(), ids=lambda event: event.type)
def test_what_is_emitted_is_valid(event: Event) -> None:
    schema = json.loads((FOLDER / "schemas" / f"{event.type}.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(orjson.loads(event.value)["data"])


def test_the_codes_of_the_header_are_told() -> None:
    assert emitted()[0].data["cda_codes"] == ["11502-2", "PRESC-BIO"]


@pytest.mark.parametrize(
    ("sender", "recipient", "direction"),
    [
        ("PER", "ORG", "professional-to-professional"),
        ("APP", "PATIENT", "professional-to-patient"),
        ("PATIENT", "PER", "patient-to-professional"),
    ],
)
def test_the_direction_follows_from_the_mailboxes(
    sender: str, recipient: str, direction: str
) -> None:
    assert events.direction_of(sender, recipient) == direction
