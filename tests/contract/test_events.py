"""Producers, schemas, examples and consumers agree on every event."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import text

from services.dmp import workers as dmp
from services.dmp.app import build as build_dmp
from services.dmp.settings import DmpSettings
from services.mss import workers as mss
from services.usage import service as usage
from services.usage.api.act_in import ActIn
from services.usage.events import ACTIVITY_DECLARED, activity_event
from socle.cda.header import read_header
from socle.cda.metadata import metadata_of
from socle.clock import wall
from socle.db.database import Database, WriteSession
from socle.demo.bundle import provide_bundle
from socle.demo.document import generated
from socle.events.envelope import Event
from socle.events.topics import topic_of
from socle.pseudonyms import pseudonym
from socle.testing.apps import client_of
from socle.testing.tokens import TokenMint

from .events import EXAMPLES, SCHEMAS, faults

CONSUMERS: dict[str, Callable[[WriteSession, Sequence[Event]], Awaitable[None]]] = {
    "dmp": dmp.apply_events,
    "mss": mss.apply_events,
    "usage": usage.apply_events,
}
ALL = [(name, index) for name, events in sorted(EXAMPLES.items()) for index in range(len(events))]
# What each consumer holds after one example, by event type; every other type leaves no trace.
EFFECTS = {
    ("dmp", "ins.identity.qualified.v1"): {"dmp.patient": 1},
    ("dmp", "ins.identity.disqualified.v1"): {"dmp.patient": 1},
    ("mss", "ins.identity.qualified.v1"): {"mss.patient": 1},
    ("mss", "ins.identity.disqualified.v1"): {"mss.patient": 1},
    ("usage", "dmp.document.registered.v1"): {"usage.document": 1},
    ("usage", "dmp.document.deleted.v1"): {"usage.withdrawal": 1, "usage.occurrence": 1},
    ("usage", "usage.activity.declared.v1"): {"usage.act": 1},
    ("usage", "usage.activity.cancelled.v1"): {"usage.cancellation": 1},
    ("usage", "usage.activity.listed.v1"): {"usage.listed": 1},
    ("usage", "usage.activity.totalled.v1"): {"usage.declaration": 1},
    ("usage", "usage.activity.attested.v1"): {"usage.attestation": 1},
}
# Of the rest, usage counts how many there are a day.
EFFECTS |= {
    ("usage", name): {"usage.occurrence": 1} for name in SCHEMAS if ("usage", name) not in EFFECTS
}
TABLES = (
    "dmp.patient", "dmp.document", "mss.patient", "usage.document", "usage.withdrawal", "usage.act",
    "usage.cancellation", "usage.occurrence", "usage.listed", "usage.declaration", "usage.attestation",
)  # fmt: skip


async def rows(database: Database, space: str) -> dict[str, int]:
    async with database.read() as session:
        counts = {
            table: (
                await session.execute(
                    text(f"SELECT count(*) FROM {table} WHERE space = :space"), {"space": space}
                )
            ).scalar_one()
            for table in TABLES
        }
    return {table: count for table, count in counts.items() if count}


class TestPublished:
    def test_have_an_example_for_each_schema_and_the_reverse(self) -> None:
        assert EXAMPLES.keys() == SCHEMAS.keys()
        assert all(EXAMPLES.values())

    @pytest.mark.parametrize("event_type", sorted(SCHEMAS))
    def test_is_a_schema_that_names_its_type_and_is_closed(self, event_type: str) -> None:
        schema = SCHEMAS[event_type]
        Draft202012Validator.check_schema(schema)

        assert schema["title"] == event_type
        assert schema["$id"] == f"urn:socle:event:{event_type}"
        assert schema["additionalProperties"] is False
        assert set(schema["required"]) == set(schema["properties"])
        assert topic_of(event_type)

    @pytest.mark.parametrize(("event_type", "index"), ALL)
    def test_has_examples_that_are_whole_events_of_the_type(
        self, event_type: str, index: int
    ) -> None:
        raw = EXAMPLES[event_type][index]
        event = Event.parse(orjson.dumps(raw))

        assert event.type == event_type
        assert faults(event_type, event.data) == []
        assert orjson.loads(event.value) == raw

    @pytest.mark.parametrize("event_type", sorted(SCHEMAS))
    def test_refuses_an_example_from_which_anything_is_taken_or_to_which_anything_is_added(
        self, event_type: str
    ) -> None:
        data = EXAMPLES[event_type][0]["data"]
        for name in data:
            assert faults(event_type, {key: data[key] for key in data if key != name}), name
        assert faults(event_type, {**data, "unheard_of": 1})


class TestConsumers:
    @pytest.mark.parametrize("consumer", sorted(CONSUMERS))
    @pytest.mark.parametrize(("event_type", "index"), ALL)
    async def test_takes_every_example_twice_with_the_effect_of_once(
        self, database: Database, space: str, consumer: str, event_type: str, index: int
    ) -> None:
        example = Event.parse(orjson.dumps(EXAMPLES[event_type][index]))
        event = replace(example, space=space)
        for _ in range(2):
            async with database.write() as session:
                await CONSUMERS[consumer](session, [event])

        assert await rows(database, space) == EFFECTS.get((consumer, event_type), {})

    @pytest.mark.parametrize("qualified", [True, False])
    @pytest.mark.parametrize("consumer", ["dmp", "mss"])
    async def test_keeps_what_ins_said_last_when_an_older_event_comes_late(
        self, database: Database, space: str, consumer: str, qualified: bool
    ) -> None:
        names = ("ins.identity.disqualified.v1", "ins.identity.qualified.v1")
        earlier, later = (
            Event.parse(orjson.dumps(EXAMPLES[name][0]))
            for name in (names if qualified else reversed(names))
        )
        later = replace(later, space=space)
        earlier = replace(earlier, space=space, time=later.time.replace(year=later.time.year - 1))
        async with database.write() as session:
            await CONSUMERS[consumer](session, [later, earlier])
        async with database.read() as session:
            known = await session.execute(
                text(f"SELECT qualified FROM {consumer}.patient WHERE space = :space"),
                {"space": space},
            )
            assert known.scalar_one() is qualified


class TestProducers:
    def test_declares_activity_in_the_form_of_its_schema(self) -> None:
        act = ActIn(
            kind="report.validated",
            structure="1B0064166",
            act_id="A1",
            domain="biology",
            act_at=wall(),
        )
        event = activity_event(ACTIVITY_DECLARED, "demo", act.data(patient=None), wall())

        assert faults(event.type, event.data) == []

    async def test_registers_documents_in_the_form_of_its_schema(
        self, settings_values: dict[str, Any], mint: TokenMint, space: str, database: Database
    ) -> None:
        """Through the front door: what stands in the outbox is what consumers will read."""
        settings = DmpSettings(**settings_values)
        given = generated()
        ins, key = given.patient.ins, settings.require_pseudonym_key()
        qualified = Event.parse(orjson.dumps(EXAMPLES["ins.identity.qualified.v1"][0]))
        patient = pseudonym(key, space, ins.oid, ins.matricule)
        said = replace(
            qualified, space=space, data={**qualified.data, "patient": patient, "fingerprints": {}}
        )
        async with database.write() as session:
            await dmp.apply_events(session, [said])
        metadata = metadata_of(read_header(given.content), given.content)
        async with client_of(build_dmp(settings), mint) as http:
            response = await http.post(
                "/dmp/fhir",
                json=provide_bundle(given.content, metadata, "899700427885"),
                headers=mint.headers(space),
            )
        assert response.status_code == 200, response.text
        async with database.read() as session:
            result = await session.execute(
                text(
                    "SELECT value FROM dmp.outbox"
                    " WHERE convert_from(value, 'UTF8')::jsonb ->> 'space' = :space"
                ),
                {"space": space},
            )
            event = Event.parse(result.scalar_one())

        assert faults(event.type, event.data) == []
