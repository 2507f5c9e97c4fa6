"""A conformant mail from the mailbox of Kit, with a report of the sandbox's own."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.mss.domain.letter import Letter, write_letter
from socle.demo.document import laboratory_report
from socle.xdm import SourceDocument

from .conftest import KIT_BOX, ROBERT_BOX

AT = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


def letter(**changes: Any) -> bytes:
    made = Letter(
        sender=KIT_BOX,
        sender_label="Dr_Kit_DOC0042788",
        recipients=(ROBERT_BOX,),
        documents=(SourceDocument.of(laboratory_report(document_id="2.25.1")),),
        message_id="<1@socle.test>",
        nil="DEV935997",
    )
    return write_letter(
        replace(made, **changes), set_id=UUID(int=1), source_id="1.2.250.1.999.1", at=AT
    )
