"""Acts of every kind, and what is counted of them and with them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.usage import tally
from services.usage.counting import count, counters
from services.usage.domain.measures import (
    Acts,
    ActsWith,
    Beneficiary,
    CountingPolicy,
    Documents,
    Measure,
    Patients,
    PatientsWithDocument,
)
from services.usage.domain.period import Period
from socle.events.envelope import Event
from socle.idgen import uuid7

from .conftest import FINESS, MARCH, Usage

DOCTOR = "899700427885"
RPPS = DOCTOR[1:]
YEAR = Period(date(2022, 1, 1), date(2023, 1, 1))
PATIENT = {"oid": "1.2.250.1.213.1.4.10", "matricule": "279035121518989"}
CONSULTATION = {"kind": "consultation.done", "professional": RPPS, "act_at": MARCH.isoformat()}
LETTER = "11490-0"


async def counted(
    usage: Usage,
    measure: Measure,
    of: Beneficiary | None = None,
    policy: CountingPolicy | None = None,
) -> int:
    async with usage.database.read() as session:
        whom = of or Beneficiary("professional", RPPS)
        return await count(session, usage.space, measure, whom, YEAR, policy)


def acts(kind: Any) -> Acts:
    return Acts(count="acts", activity=kind)


def acts_with(kind: Any, what: Any, **more: Any) -> ActsWith:
    return ActsWith(count="acts_with", activity=kind, what=what, **more)


async def posted(usage: Usage, path: str, body: Any) -> Any:
    response = await usage.http.post(f"/usage/activity/{path}", json=body, headers=usage.headers)
    assert response.status_code == 201, response.text
    return response.json()


class TestActs:
    async def test_count_for_structure_and_professional_and_everybody(self, usage: Usage) -> None:
        await usage.declare({**CONSULTATION, "act_id": "C1", "structure": FINESS})

        for of in (
            Beneficiary("structure", FINESS),
            Beneficiary("professional", RPPS),
            Beneficiary("professional", DOCTOR),
            Beneficiary("space"),
        ):
            assert await counted(usage, acts("consultation.done"), of) == 1
        assert await counted(usage, acts("stay.closed")) == 0

    async def test_are_told_apart_by_owner_and_kind_when_the_number_is_the_same(
        self, usage: Usage
    ) -> None:
        await usage.declare(
            {**CONSULTATION, "act_id": "1"},
            {**CONSULTATION, "act_id": "1", "professional": "10100000001"},
            {**CONSULTATION, "act_id": "1", "kind": "stay.closed"},
            {**CONSULTATION, "act_id": "1"},
        )
        assert await counted(usage, acts("consultation.done")) == 1
        assert await counted(usage, acts("consultation.done"), Beneficiary("space")) == 2

    async def test_that_are_told_again_in_other_words_are_refused(self, usage: Usage) -> None:
        """The first telling holds; documents alone may be added later."""
        await usage.declare({**CONSULTATION, "act_id": "1"})
        response = await usage.http.post(
            "/usage/activity",
            json={
                "acts": [
                    {**CONSULTATION, "act_id": "1", "documents": ["1.2.3^4"]},
                    {**CONSULTATION, "act_id": "1", "act_at": "2022-04-01T00:00:00Z"},
                    {**CONSULTATION, "act_id": "2"},
                    {**CONSULTATION, "act_id": "2", "act_at": "2022-04-01T00:00:00Z"},
                ]
            },
            headers=usage.headers,
        )
        assert response.status_code == 400
        assert [(it["rule"], it["path"]) for it in response.json()["problems"]] == [
            ("ACT-CONTRADICTION", "/body/acts/1/act_id"),
            ("ACT-CONTRADICTION", "/body/acts/3/act_id"),
        ]
        assert await counted(usage, acts("consultation.done"), Beneficiary("space")) == 1

    async def test_leave_both_sides_when_cancelled_within_the_period(self, usage: Usage) -> None:
        act = {
            **CONSULTATION, "kind": "prescription.issued", "act_id": "P1", "flags": ["eprescription"],
        }  # fmt: skip
        key = {name: act[name] for name in ("kind", "professional", "act_id")}
        await usage.declare(act)
        issued, with_number = (
            acts("prescription.issued"), acts_with("prescription.issued", "eprescription"),
        )  # fmt: skip
        assert (await counted(usage, issued), await counted(usage, with_number)) == (1, 1)

        late = {"cancellations": [{**key, "cancelled_at": "2023-01-01T00:00:00+01:00"}]}
        await posted(usage, "cancellations", late)
        assert (await counted(usage, issued), await counted(usage, with_number)) == (1, 1)

        within = {"cancellations": [{**key, "cancelled_at": "2022-12-31T23:59:59+01:00"}]}
        await posted(usage, "cancellations", within)
        assert (await counted(usage, issued), await counted(usage, with_number)) == (0, 0)


class TestLinks:
    async def test_a_consultation_counts_once_whatever_documents_it_gave(
        self, usage: Usage
    ) -> None:
        documents = [
            usage.registered(professional=DOCTOR, structure=None, acts=["C1"]) for _ in range(3)
        ]
        await usage.consume(*documents)
        await usage.declare({**CONSULTATION, "act_id": "C1"}, {**CONSULTATION, "act_id": "C2"})
        with_document = acts_with("consultation.done", "document")
        assert await counted(usage, with_document) == 1

        for document in documents:
            await usage.consume(usage.deleted(document))
        assert await counted(usage, with_document) == 0

    async def test_a_declaration_may_name_the_document_instead(self, usage: Usage) -> None:
        document = usage.registered(professional=DOCTOR, type_code=LETTER)
        await usage.declare(
            {**CONSULTATION, "act_id": "C1", "documents": [document.data["unique_id"]]}
        )
        await usage.consume(document)

        for types, expected in ((frozenset([LETTER]), 1), (frozenset(["11502-2"]), 0), ("any", 1)):
            measure = acts_with("consultation.done", "document", types=types)
            assert await counted(usage, measure) == expected

    async def test_anothers_document_is_no_document_of_the_act(self, usage: Usage) -> None:
        document = usage.registered(structure="0B0193488", professional="810100000001")
        await usage.consume(document)
        await usage.declare(
            {**CONSULTATION, "act_id": "C1", "documents": [document.data["unique_id"]]}
        )
        assert await counted(usage, acts_with("consultation.done", "document")) == 0

    async def test_documents_of_one_act_count_once_where_the_rule_says_so(
        self, usage: Usage
    ) -> None:
        await usage.consume(
            usage.registered(acts=["S1"]), usage.registered(acts=["S1"]), usage.registered(),
            usage.registered(acts=["S2"], level="N1"),
        )  # fmt: skip
        common: dict[str, Any] = {
            "count": "documents", "types": frozenset(["11502-2"]), "ins": "qualified",
        }  # fmt: skip
        of = Beneficiary("structure", FINESS)
        for unit, levels, expected in (
            ("document", ["N3"], 3), ("act", ["N3"], 2), ("act", ["N1", "N3"], 3), ("act", ["N1"], 1),
        ):  # fmt: skip
            measure = Documents(**common, unit=unit, levels=frozenset(levels))
            assert await counted(usage, measure, of) == expected, (unit, levels)

    async def test_only_documents_of_a_declared_stay_count_where_the_rule_says_so(
        self, usage: Usage
    ) -> None:
        measure = Documents(
            count="documents", types="any", levels=frozenset(["N1", "N3"]), ins="any",
            linked_to="stay.closed",
        )  # fmt: skip
        of = Beneficiary("structure", FINESS)
        await usage.consume(usage.registered(acts=["S1"]), usage.registered(acts=["S2"]))
        assert await counted(usage, measure, of) == 0
        stay = {
            "kind": "stay.closed",
            "structure": FINESS,
            "act_id": "S1",
            "act_at": MARCH.isoformat(),
        }
        await usage.declare(stay)
        assert await counted(usage, measure, of) == 1

    @pytest.mark.parametrize(
        ("sent", "direction", "expected"),
        [
            ("professional-to-patient", "sent", 1),
            ("patient-to-professional", "sent", 0),
            ("patient-to-professional", "either", 1),
            ("professional-to-professional", "either", 0),
        ],
    )
    async def test_a_message_to_the_patient_counts_for_its_consultation(
        self, usage: Usage, sent: str, direction: Any, expected: int
    ) -> None:
        message = str(uuid7())
        await usage.declare({**CONSULTATION, "act_id": "C1", "messages": [message]})
        await usage.consume(
            Event.new(
                "mss.message.accepted.v1", source="/mss", subject=message, space=usage.space,
                time=MARCH, data={"message": message, "direction": sent, "sender_kind": "PER",
                                  "cda_codes": [], "ins": None},
            )
        )  # fmt: skip
        measure = acts_with("consultation.done", "message_to_patient")
        policy = CountingPolicy(direction=direction)
        assert await counted(usage, measure, policy=policy) == expected


class TestPatients:
    ALD = Patients(count="patients", list="ald")

    @staticmethod
    def with_vsm(*, structured: bool = False) -> PatientsWithDocument:
        return PatientsWithDocument(
            count="patients_with_document", list="ald", types=frozenset(["60591-5"]),
            structured=structured,
        )  # fmt: skip

    async def listed(self, usage: Usage, **changes: Any) -> None:
        patient = {"patient": PATIENT, "since": "2022-01-01", **changes}
        body = {"professional": RPPS, "list": "ald", "patients": [patient]}
        await posted(usage, "lists", body)

    async def pseudonym(self, usage: Usage) -> str:
        async with usage.database.read() as session:
            found = await session.execute(
                text("SELECT patient FROM usage.listed WHERE space = :space"),
                {"space": usage.space},
            )
            patient: str = found.scalar_one()
            return patient

    async def test_are_on_the_list_until_the_day_that_is_told_last(self, usage: Usage) -> None:
        await self.listed(usage)
        await self.listed(usage)
        assert await counted(usage, self.ALD) == 1
        await self.listed(usage, until="2022-06-01")
        assert await counted(usage, self.ALD) == 0
        await self.listed(usage, until="2023-01-01")
        assert await counted(usage, self.ALD) == 1

    async def test_count_once_with_a_live_document_of_the_doctor(self, usage: Usage) -> None:
        await self.listed(usage)
        patient = await self.pseudonym(usage)
        vsm = {"type_code": "60591-5", "patient": patient}
        plain = usage.registered(professional=DOCTOR, level="N1", **vsm)
        structured = usage.registered(professional=DOCTOR, **vsm)
        await usage.consume(plain, usage.registered(professional="810100000001", **vsm))
        assert await counted(usage, self.with_vsm()) == 1
        assert await counted(usage, self.with_vsm(structured=True)) == 0

        await usage.consume(structured)
        assert await counted(usage, self.with_vsm()) == 1
        assert await counted(usage, self.with_vsm(structured=True)) == 1

        await usage.consume(usage.deleted(structured, at=MARCH + timedelta(days=1)))
        await usage.consume(usage.deleted(plain, at=datetime(2023, 2, 1, tzinfo=UTC)))
        assert await counted(usage, self.with_vsm()) == 1
        assert await counted(usage, self.with_vsm(structured=True)) == 0
        restated = CountingPolicy(late_delete="kept")
        assert await counted(usage, self.with_vsm(), policy=restated) == 0

    async def test_count_with_the_version_that_decides_when_the_period_closes(
        self, usage: Usage
    ) -> None:
        await self.listed(usage)
        vsm = {"type_code": "60591-5", "patient": await self.pseudonym(usage)}
        first = usage.registered(professional=DOCTOR, level="N1", **vsm)
        chain = first.data["logical_id"]
        later = usage.registered(
            professional=DOCTOR, chain_id=chain, registered_at="2022-05-01T00:00:00+00:00", **vsm
        )
        after = usage.registered(
            professional=DOCTOR, chain_id=chain, type_code="11502-2", patient=vsm["patient"],
            registered_at="2023-05-01T00:00:00+00:00",
        )  # fmt: skip
        await usage.consume(after, later, first)

        structured = self.with_vsm(structured=True)
        assert await counted(usage, structured) == 1
        assert await counted(usage, structured, policy=CountingPolicy(version="first")) == 0
        assert await counted(usage, structured, policy=CountingPolicy(late_delete="kept")) == 0

    async def test_are_known_by_pseudonym_alone(self, usage: Usage) -> None:
        await self.listed(usage)
        await usage.declare({**CONSULTATION, "act_id": "C1", "patient": PATIENT})
        async with usage.database.read() as session:
            for table in ("listed", "act", "outbox"):
                rows = await session.execute(text(f"SELECT t::text FROM usage.{table} AS t"))
                for row in rows.scalars():
                    assert PATIENT["matricule"][:13] not in row
                    assert PATIENT["matricule"][:13].encode().hex() not in row

    async def test_show_their_number_and_never_who_they_are(self, usage: Usage) -> None:
        await self.listed(usage)
        query = {"professional": RPPS, "on": "2022-03-01"}
        response = await usage.http.get(
            "/usage/activity/lists", params=query, headers=usage.headers
        )
        assert response.json() == {
            "professional": RPPS, "on": "2022-03-01", "patients": {"ald": 1, "patientele": 0}
        }  # fmt: skip


class TestBounds:
    async def test_an_act_with_documents_of_any_number_of_types_still_counts(
        self, usage: Usage
    ) -> None:
        """A bucket is a key of an index, and no key may be longer than 2,700 bytes."""
        await usage.consume(
            *(
                usage.registered(professional=DOCTOR, acts=["C1"], type_code=f"{uuid7()}-{number}")
                for number in range(200)
            )
        )
        await usage.declare({**CONSULTATION, "act_id": "C1"})
        assert await counted(usage, acts_with("consultation.done", "document")) == 1
        structure = Beneficiary("structure", FINESS)
        everything = Documents(
            count="documents", types="any", levels=frozenset(["N3"]), ins="qualified"
        )
        assert await counted(usage, everything, structure) == 200
        by_act = everything.model_copy(update={"unit": "act"})
        assert await counted(usage, by_act, structure) == 1

    async def test_documents_that_all_name_one_act_count_though_not_all_as_its(
        self, usage: Usage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Software that gives every document the same number would otherwise stop the count."""
        monkeypatch.setattr(tally, "MAX_LINKS", 3)
        for _ in range(2):
            await usage.consume(*(usage.registered(acts=["1"]) for _ in range(4)))
        assert await usage.counted() == (8, 0)
        async with usage.database.read() as session:
            links = await session.execute(
                text("SELECT count(*) FROM usage.link WHERE space = :space"), {"space": usage.space}
            )
            assert links.scalar_one() == 3

    async def test_an_author_whose_number_has_no_bound_is_none(self, usage: Usage) -> None:
        await usage.consume(usage.registered(professional=f"31B0064166/{'x' * 4000}"))
        assert await usage.counted() == (1, 0)


class TestCounters:
    async def test_add_up_what_is_only_counted_by_day(self, usage: Usage) -> None:
        def event(type_: str, data: dict[str, Any]) -> Event:
            return Event.new(
                type_, source="/x", subject="x", space=usage.space, time=MARCH, data=data
            )

        refused = {"patient": None, "unique_ids": ["1", "2"], "type_codes": ["11502-2", "11502-2"],
                   "door": "fhir", "rules": ["R"], "refused_at": MARCH.isoformat()}  # fmt: skip
        verified = {"result": "KO", "mode": "single", "professional": DOCTOR}
        sent = {"message": str(uuid7()), "direction": "professional-to-patient", "sender_kind": "PER",
                "professional": DOCTOR, "structure": {"kind": "finess", "number": FINESS},
                "cda_codes": ["11502-2"], "ins": "O"}  # fmt: skip
        login = {"session": str(uuid7()), "rpps": RPPS, "client_id": "x", "auth_mode": "CARD"}
        events = [
            event("dmp.document.refused.v1", refused),
            event("psc.session.opened.v1", login),
            event("ins.identity.qualified.v1", {}),
            event("ins.identity.verified.v1", verified),
            event("mss.message.delivered.v1", {"message": "x", "recipient_kind": "PER"}),
            event("mss.message.accepted.v1", sent),
        ]
        await usage.consume(*events)
        await usage.consume(*events)
        async with usage.database.read() as session:
            everybody = await counters(session, usage.space, Beneficiary("space"), YEAR)
            doctor = await counters(session, usage.space, Beneficiary("professional", RPPS), YEAR)
            structure = await counters(session, usage.space, Beneficiary("structure", FINESS), YEAR)
        assert everybody == {
            "dmp.refused": 2, "ins.qualified": 1, "ins.verified": 1, "mss.delivered": 1,
            "mss.professional-to-patient": 1, "psc.opened": 1,
        }  # fmt: skip
        assert doctor == {"ins.verified": 1, "mss.professional-to-patient": 1, "psc.opened": 1}
        assert structure == {"mss.professional-to-patient": 1}
        assert await usage.counted() == (0, 0)

    async def test_a_deposit_after_the_end_counts_in_the_grace_days_alone(
        self, usage: Usage
    ) -> None:
        await usage.consume(usage.registered(registered_at="2023-01-03T08:00:00+00:00"))
        measure = Documents(
            count="documents", types="any", levels=frozenset(["N3"]), ins="qualified"
        )
        of = Beneficiary("structure", FINESS)
        for days, expected in ((0, 0), (2, 0), (3, 1)):
            policy = CountingPolicy(grace_days=days)
            assert await counted(usage, measure, of, policy) == expected, days
