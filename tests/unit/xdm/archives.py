"""Archives for tests: a right one, and whatever a test makes of its files."""

import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from uuid import UUID

from socle.demo.document import laboratory_report
from socle.xdm import SourceDocument, build_archive

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
SET = UUID(int=7)


def right(*contents: bytes, action: str = "") -> bytes:
    documents = [
        SourceDocument.of(content, action)  # type: ignore[arg-type]
        for content in contents or (laboratory_report(document_id="2.25.1"),)
    ]
    return build_archive(documents, set_id=SET, source_id="1.2.250.1.999.1", now=AT)


def files_of(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def packed(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            archive.writestr(info, content, method)
    return out.getvalue()
