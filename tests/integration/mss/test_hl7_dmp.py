"""DESTDMP: what an HL7v2 message hands over to the real DMP service, at its strictest."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hl7
import pytest
from sqlalchemy import text

from services.dmp.app import build as build_dmp
from services.dmp.settings import DmpSettings
from services.dmp.workers import apply_events
from services.mss.hl7v2.dmp.courier import hand_over_next, standing_of
from services.mss.hl7v2.dmp.deposit import deposit_of
from services.mss.hl7v2.dmp.door import DmpDoor
from services.mss.hl7v2.er7 import parse
from services.mss.hl7v2.reading import read_order
from socle.clock import wall
from socle.db.database import Database
from socle.demo.document import laboratory_report
from socle.events.envelope import Event
from socle.testing.hl7_orders import CDA, COLLEAGUE, PATIENT, PS, order
from socle.testing.serving import serving
from socle.testing.tokens import TokenMint

from .conftest import KIT, Mail, mail_service
from .test_hl7 import acknowledgements, exchange, inbox, registered, said

pytestmark = pytest.mark.postgres
TO_DMP = {"DESTDMP": "Y", "DESTMSSANTEPS": "N", "DESTMSSANTEPAT": "N", "ACK_RECEPTION": "Y"}
STRICT: dict[str, Any] = {
    "dmp_vihf": "enforce",
    "dmp_lot_signature": "enforce",
    "dmp_rights": "enforce",
}
NEWER = laboratory_report(document_id="2.25.2").replace(
    b"  <componentOf>",
    b'  <relatedDocument typeCode="RPLC"><parentDocument><id root="2.25.1"/></parentDocument>'
    b"</relatedDocument>\n  <componentOf>",
)


@dataclass
class Platform:
    """The mail service and the DMP, as two services that know one another by HTTP alone."""

    mail: Mail
    door: DmpDoor
    database: Database
    application: str

    @property
    def kernel(self) -> Any:
        return self.mail.app.state.kernel

    async def say(self) -> None:
        """The patient's INS is qualified, and the DMP hears it."""
        pseudonym = self.kernel.pseudonym(self.mail.space, PATIENT.oid, PATIENT.matricule)
        event = Event.new(
            "ins.identity.qualified.v1",
            source="/ins",
            subject=pseudonym,
            space=self.mail.space,
            time=wall(),
            data={
                "patient": pseudonym, "oid": PATIENT.oid, "status": "QUAL", "qualified": True,
                "fingerprints": {},
            },
        )  # fmt: skip
        async with self.database.write() as session:
            await apply_events(session, [event])

    async def send(self, number: int, **values: Any) -> hl7.Message:
        values = {"flags": TO_DMP, "recipients": [], "kind": "MDM", **values}
        message = order(application=self.application, control_id=f"c{number}", **values)
        return await exchange(self.mail, message)

    async def hand_over(self) -> None:
        while await hand_over_next(self.kernel, self.door):
            pass

    async def deposits(self) -> list[dict[str, Any]]:
        path = f"/s/{self.mail.space}/_sandbox/mss/hl7/deposits"
        found: list[dict[str, Any]] = (await self.mail.http.get(path)).json()["deposits"]
        return found

    async def outcomes(self) -> list[tuple[str | None, str]]:
        return [(it["outcome"], it["code"]) for it in await self.deposits()]

    async def registered(self) -> dict[str, tuple[str, list[str], bytes]]:
        """Of each uniqueId in the DMP: its status, its confidentiality codes and its bytes."""
        sql = (
            "SELECT e.unique_id, e.status, e.metadata->'xds'->'confidentiality' AS codes, b.content"
            " FROM dmp.document e JOIN dmp.body b ON b.space = e.space AND b.sha256 = e.sha256"
            " WHERE e.space = :space"
        )
        async with self.database.read() as session:
            rows = await session.execute(text(sql), {"space": self.mail.space})
            return {
                row.unique_id: (row.status, [it["code"] for it in row.codes], bytes(row.content))
                for row in rows
            }

    async def z01(self) -> list[hl7.Message]:
        told = [hl7.parse(it["content"]) for it in await acknowledgements(self.mail)]
        return [it for it in told if str(it.segment("MSH")[9]) == "ZAM^Z01^ZAM_Z01"]


@pytest.fixture
async def platform(
    settings_values: dict[str, Any], mint: TokenMint, space: str, home: Path, database: Database
) -> AsyncIterator[Platform]:
    dmp = build_dmp(DmpSettings(**settings_values, home=home, **STRICT))
    async with (
        serving(lambda _: dmp) as url,
        mail_service(settings_values, mint, space, home, dmp_url=url) as mail,
        DmpDoor(mail.app.state.kernel.settings) as door,
    ):
        yield Platform(mail, door, database, await registered(mail))


async def test_a_new_document_lies_in_the_dmp_as_it_came(platform: Platform) -> None:
    await platform.say()
    flags = {**TO_DMP, "MASQUE_PS": "Y", "INVISIBLE_PATIENT": "Y", "INVISIBLE_REP_LEGAUX": "Y"}
    answer = await platform.send(1, kind="ORU", flags=flags)
    assert said(answer) == "AA", str(answer)
    assert await platform.outcomes() == [(None, "")]
    await platform.hand_over()
    assert await platform.outcomes() == [("done", "")], await platform.deposits()
    codes = ["N", "MASQUE_PS", "INVISIBLE_PATIENT", "INVISIBLE_REPRESENTANTS_LEGAUX"]
    assert await platform.registered() == {"2.25.1": ("Approved", codes, CDA)}
    (told,) = await platform.z01()
    assert str(told.segment("OBX")) == (
        "OBX|1|CWE|ACK_RECEPTION_DMP^Accusé de réception DMP^AckMetierZAM|c1"
        "|Y^^expandedYes-NoIndicator||||||F"
    )


async def test_a_document_is_replaced_and_deleted(platform: Platform) -> None:
    await platform.say()
    for number, (status, content) in enumerate((("F", CDA), ("C", NEWER), ("D", NEWER))):
        answer = await platform.send(number, status=status, documents=[content])
        assert said(answer) == "AA", str(answer)
    await platform.hand_over()
    assert await platform.outcomes() == [("done", "")] * 3, await platform.deposits()
    found = await platform.registered()
    assert {name: it[0] for name, it in found.items()} == {
        "2.25.1": "Deprecated",
        "2.25.2": "Deleted",
    }
    assert len(await platform.z01()) == 3


async def test_two_documents_of_one_message_are_one_lot(platform: Platform) -> None:
    await platform.say()
    two = [CDA, laboratory_report(document_id="2.25.3")]
    await platform.send(1, kind="ORU", documents=two)
    await platform.hand_over()
    assert {*await platform.registered()} == {"2.25.1", "2.25.3"}
    async with platform.database.read() as session:
        sets = await session.execute(
            text("SELECT metadata->'xds' AS xds FROM dmp.submission_set WHERE space = :space"),
            {"space": platform.mail.space},
        )
        (one,) = sets.all()
    assert one.xds["authors"][0]["person"].startswith(f"{KIT}^DOC0042788^KIT")
    assert one.xds["content_type"]["code"] == "03"


async def test_a_refusal_comes_back_in_the_words_of_the_dmp(platform: Platform) -> None:
    await platform.send(1)
    await platform.send(2, status="C", documents=[NEWER])
    await platform.send(3, status="D")
    await platform.hand_over()
    expected = ["XDSUnknownPatientId", "XDSReplaceFailed", "XDSDocumentUniqueIdError"]
    assert await platform.outcomes() == [("refused", code) for code in expected]
    told = await platform.z01()
    assert [str(it.segment("OBX")[5]) for it in told] == ["N^^expandedYes-NoIndicator"] * 3
    errors = [it.segment("ERR") for it in told]
    assert [str(it[5]).partition("^")[0] for it in errors] == expected
    assert str(errors[0][5]) == (
        "XDSUnknownPatientId^Patient inconnu du DMP, ou INS non qualifié^DMP_ERROR_CODE"
    )
    assert str(errors[0][3]).startswith("207^Application error^")
    assert await platform.registered() == {}


async def test_a_dmp_that_is_away_gets_it_later_and_once(platform: Platform) -> None:
    await platform.say()
    away = DmpDoor(platform.kernel.settings.model_copy(update={"dmp_url": "http://127.0.0.1:9"}))
    await platform.send(1)
    await platform.send(2, status="C", documents=[NEWER])
    async with away:
        assert await hand_over_next(platform.kernel, away)
        assert not await hand_over_next(platform.kernel, away), "the replacement must wait"
    first, second = await platform.deposits()
    assert (first["attempts"], first["told"], first["outcome"]) == (1, "ConnectError", None)
    assert (second["attempts"], second["outcome"]) == (0, None)
    assert await platform.z01() == []
    path = f"/s/{platform.mail.space}/_sandbox/mss/hl7/deposits/retry"
    assert (await platform.mail.http.post(path)).json() == {"due": 1}
    await platform.hand_over()
    assert await platform.outcomes() == [("done", "")] * 2, await platform.deposits()
    assert len(await platform.z01()) == 2


async def test_a_dmp_that_stays_away_is_told_at_the_end(platform: Platform) -> None:
    await platform.send(1)
    async with platform.database.write() as session:
        await session.execute(
            text(
                "UPDATE mss.hl7_deposit SET queued_at = queued_at - interval '1 day'"
                " WHERE space = :space"
            ),
            {"space": platform.mail.space},
        )
    settings = platform.kernel.settings.model_copy(update={"dmp_url": "http://127.0.0.1:9"})
    async with DmpDoor(settings) as away:
        assert await hand_over_next(platform.kernel, away)
    assert await platform.outcomes() == [("expired", "XDSRegistryNotAvailable")]
    (told,) = await platform.z01()
    assert "DMP indisponible" in str(told.segment("ERR"))


@pytest.mark.parametrize(("status", "content"), [("F", CDA), ("C", NEWER), ("D", CDA)])
async def test_what_was_done_before_the_process_died_is_not_done_twice(
    platform: Platform, status: str, content: bytes
) -> None:
    """The DMP has it, the platform does not know: as a crash between the two leaves it."""
    await platform.say()
    if status != "F":
        await platform.send(1)
        await platform.hand_over()
    await platform.send(2, status=status, documents=[content])
    async with platform.database.read() as session:
        kept = (
            await session.execute(
                text(
                    "SELECT d.* FROM mss.hl7_deposit_document d JOIN mss.hl7_deposit i"
                    " ON i.id = d.deposit WHERE i.space = :space AND i.control_id = 'c2'"
                ),
                {"space": platform.mail.space},
            )
        ).one()
    await platform.hand_over()
    before = await platform.registered()
    async with platform.database.write() as session:
        await session.execute(
            text("UPDATE mss.hl7_deposit SET next_at = queued_at, outcome = NULL WHERE id = :id"),
            {"id": kept.deposit},
        )
        await session.execute(
            text("INSERT INTO mss.hl7_deposit_document VALUES (:deposit, :number, :content)"),
            dict(kept._mapping),
        )
    await platform.hand_over()
    assert [it["outcome"] for it in await platform.deposits()][-1] == "done"
    assert await platform.registered() == before


async def test_the_directory_tells_the_role_of_whoever_asks(platform: Platform) -> None:
    found = deposit_of(read_order(parse(order(flags=TO_DMP, recipients=[]).encode())))
    assert found is not None
    stranger = replace(found, requester=replace(found.requester, person="899700000000"))
    space = await platform.kernel.spaces.get(platform.mail.space)
    async with platform.database.read() as session:
        for asked, roles in ((found, ["10", "SM26"]), (stranger, ["AUTOMATE"])):
            standing = await standing_of(session, space, asked, asked.read()[0])
            assert [it.code for it in standing.roles] == roles
            assert standing.sector.startswith("SA")


async def test_the_dmp_is_asked_for_nothing_without_the_flag(platform: Platform) -> None:
    await platform.send(1, recipients=[COLLEAGUE], flags=PS)
    assert await platform.deposits() == []
    assert len(await inbox(platform.mail)) == 1


async def test_a_message_that_comes_twice_is_handed_over_once(platform: Platform) -> None:
    await platform.say()
    for _ in range(2):
        assert said(await platform.send(1)) == "AA"
    await platform.hand_over()
    assert len(await platform.deposits()) == 1
    assert len(await platform.z01()) == 1


async def test_no_acknowledgement_goes_to_who_wants_none(platform: Platform) -> None:
    await platform.say()
    await platform.send(1, flags={**TO_DMP, "ACK_RECEPTION": "N"})
    await platform.hand_over()
    assert await platform.outcomes() == [("done", "")]
    assert await acknowledgements(platform.mail) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda it: it.replace("^Send By", "^x").replace("||SB^", "||XX^"), "101"),
        (lambda it: it.replace("^^^300017985", "^^^"), "101"),
        (lambda it: it.replace("899700427885^DOC0042788", "^DOC0042788"), "101"),
    ],
)
async def test_who_asks_is_required(platform: Platform, change: Any, code: str) -> None:
    message = order(application=platform.application, flags=TO_DMP, recipients=[])
    answer = await exchange(platform.mail, change(message))
    assert said(answer) == "AE"
    assert str(answer.segment("ERR")[3]).startswith(f"{code}^")
    assert await platform.deposits() == []
