"""Deep validation: a schema and a schematron of the test's own, in the process that does it for real."""

from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest

from services.dmp.deep.engine import Engine, SilentEngineError
from services.dmp.deep.worker import enqueue_events, validate_next
from socle.events.envelope import Event

from .conftest import Dmp, Start
from .samples import document

SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:hl7-org:v3"
 elementFormDefault="qualified"><xs:element name="ClinicalDocument"><xs:complexType><xs:sequence>
 <xs:element name="realmCode"><xs:complexType><xs:attribute name="code"/></xs:complexType></xs:element>
 <xs:any minOccurs="0" maxOccurs="{most}" processContents="skip"/></xs:sequence>
 <xs:anyAttribute processContents="skip"/></xs:complexType></xs:element></xs:schema>"""

# What a schematron becomes: a stylesheet that writes SVRL, in XSLT 2.0 as those of the ANS.
STYLESHEET = """<xsl:stylesheet version="2.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
 xmlns:h="urn:hl7-org:v3" xmlns:svrl="http://purl.oclc.org/dsdl/svrl"><xsl:template match="/">
 <svrl:schematron-output><xsl:for-each select="//h:section[matches(h:title, '^Chi')]">
 <svrl:failed-assert id="R1" location="/ClinicalDocument" role="{role}"><svrl:text>Titre <xsl:value-of
 select="upper-case(h:title)"/></svrl:text></svrl:failed-assert></xsl:for-each>
 </svrl:schematron-output></xsl:template></xsl:stylesheet>"""


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    file = tmp_path / "CDA.xsd"
    file.write_text(SCHEMA.format(most="unbounded"))
    return file


@pytest.fixture
def schematrons(tmp_path: Path) -> Path:
    folder = tmp_path / "schematrons"
    folder.mkdir()
    (folder / "volet.xsl").write_text(STYLESHEET.format(role="warning"))
    return folder


async def registered(dmp: Dmp) -> list[Event]:
    return [Event.parse(orjson.dumps(one)) for one in await dmp.told()]


async def shown(dmp: Dmp, document_id: str) -> Any:
    url = f"/s/{dmp.space}/_sandbox/dmp/documents/{document_id}/validation"
    return await dmp.http.get(url)


class TestEngine:
    async def test_finds_what_schema_and_schematron_find(
        self, tmp_path: Path, schematrons: Path
    ) -> None:
        (tmp_path / "CDA.xsd").write_text(SCHEMA.format(most="2"))
        engine = Engine(tmp_path / "CDA.xsd", schematrons, 60)
        for _ in range(2):  # the process goes on
            by_schema, by_schematron = await engine.check(document().content)
            assert (by_schema["rule"], by_schema["severity"]) == ("CDA-XSD", "error")
            assert by_schematron == {
                "rule": "R1", "path": "/ClinicalDocument", "message": "Titre CHIMIE",
                "severity": "warning", "source": "volet.xsl",
            }  # fmt: skip
        await engine.close()

    async def test_says_nothing_when_nothing_is_wrong(self, schema: Path) -> None:
        engine = Engine(schema, None, 60)
        assert await engine.check(document().content) == []
        await engine.close()

    async def test_tells_a_stylesheet_that_breaks(self, schematrons: Path) -> None:
        (schematrons / "volet.xsl").write_text(
            STYLESHEET.format(role="").replace("upper-case(h:title)", "error()")
        )
        engine = Engine(None, schematrons, 60)
        [finding] = await engine.check(document().content)
        assert finding["rule"] == "DEEP-CHECK"
        await engine.close()

    async def test_starts_again_after_a_process_that_is_lost(self, schema: Path) -> None:
        engine = Engine(Path("/nowhere.xsd"), None, 60)
        with pytest.raises(SilentEngineError):
            await engine.check(document().content)
        slow = Engine(schema, None, 0.001)
        with pytest.raises(SilentEngineError):
            await slow.check(document().content)
        slow._timeout = 60
        assert await slow.check(document().content) == []
        await slow.close()


class TestWorker:
    async def test_validates_what_was_registered_once(
        self, start: Start, dmp: Dmp, schematrons: Path
    ) -> None:
        entry = await dmp.deposit(document())
        assert (await shown(dmp, entry)).status_code == 404
        for _ in range(2):
            async with dmp.database.write() as session:
                await enqueue_events(session, await registered(dmp))
        assert (await shown(dmp, entry)).json()["state"] == "waiting"
        kernel = dmp.http._transport.app.state.kernel  # type: ignore[attr-defined]
        engine = Engine(None, schematrons, 60)
        while await validate_next(kernel, engine):
            pass
        await engine.close()
        found = (await shown(dmp, entry)).json()
        assert found["state"] == "done"
        assert [one["message"] for one in found["findings"]] == ["Titre CHIMIE"]
        assert UUID(entry)

    async def test_goes_on_after_a_document_that_no_process_survives(self, dmp: Dmp) -> None:
        entry = await dmp.deposit(document())
        async with dmp.database.write() as session:
            await enqueue_events(session, await registered(dmp))
        kernel = dmp.http._transport.app.state.kernel  # type: ignore[attr-defined]
        engine = Engine(Path("/nowhere.xsd"), None, 60)
        while await validate_next(kernel, engine):
            pass
        [finding] = (await shown(dmp, entry)).json()["findings"]
        assert finding["rule"] == "DEEP-ENGINE"
