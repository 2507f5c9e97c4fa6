"""ITI-43, Retrieve Document Set: TD3.2 (spec: dmp.md §1.5)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lxml import etree
from sqlalchemy.ext.asyncio import AsyncSession

from services.dmp import repository
from services.dmp.domain.visibility import Reader
from services.dmp.repository import StoredEntry
from services.dmp.xds.faults import DmpFault
from services.dmp.xds.message import Message
from services.dmp.xds.responses import retrieve_response
from socle.idgen import random_uuid
from socle.problems import Problem
from socle.soap.mtom import XOP, Attachment
from socle.xds import names
from socle.xds.names import XDSB

MAX_DOCUMENTS = 100
SOURCE = "ITI TF-2 §3.43.4.1"


@dataclass(frozen=True, slots=True)
class Retrieved:
    """`read` are the documents whose bytes are given."""

    body: etree._Element = field(repr=False)
    attachments: Sequence[Attachment] = ()
    read: Sequence[StoredEntry] = ()


async def retrieve(
    session: AsyncSession, space: str, reader: Reader, message: Message
) -> Retrieved:
    """The answer, and the documents that go with it in the order of the request."""
    requests = message.body.findall(f"{{{XDSB}}}DocumentRequest")
    if message.body.tag != f"{{{XDSB}}}RetrieveDocumentSetRequest" or not requests:
        problem = _problem("XDSRepositoryError", "/Envelope/Body", "no document is asked for",
                           "xdsb:RetrieveDocumentSetRequest/DocumentRequest")  # fmt: skip
        return Retrieved(retrieve_response(names.FAILURE, [problem]))
    if len(requests) > MAX_DOCUMENTS:
        problem = _problem("XDSTooManyResults", "/Envelope/Body", f"{len(requests)} documents",
                           f"at most {MAX_DOCUMENTS} at once")  # fmt: skip
        return Retrieved(retrieve_response(names.FAILURE, [problem]))
    problems: list[Problem] = []
    attachments: list[Attachment] = []
    read: list[StoredEntry] = []
    answers: list[etree._Element] = []
    for position, request in enumerate(requests, start=1):
        path = f"DocumentRequest[{position}]"
        repository_id = (request.findtext(f"{{{XDSB}}}RepositoryUniqueId") or "").strip()
        unique_id = (request.findtext(f"{{{XDSB}}}DocumentUniqueId") or "").strip()
        if repository_id != names.REPOSITORY_ID:
            problems.append(_problem("XDSUnknownRepositoryId", f"{path}/RepositoryUniqueId",
                                     "another repository", names.REPOSITORY_ID))  # fmt: skip
            continue
        _require_unique_id(unique_id, path, message)
        stored = await repository.get_document(
            session, space, unique_id, replace(reader, opens=True)
        )
        if stored is None or stored.unique_id != unique_id or stored.status == "Deleted":
            problems.append(_problem("XDSDocumentUniqueIdError", f"{path}/DocumentUniqueId",
                                     "no document has this identifier",
                                     "the uniqueId of a registered document"))  # fmt: skip
            continue
        content = await repository.get_content(session, space, stored.id)
        read.append(stored)
        mime = str(stored.metadata.get("mime", "text/xml"))
        attachments.append(Attachment(f"{random_uuid().hex}@socle", mime, content))
        answers.append(_answer(unique_id, mime, attachments[-1].content_id))
    status = names.FAILURE if not answers else names.PARTIAL if problems else names.SUCCESS
    root = retrieve_response(status, problems)
    root.extend(answers)
    return Retrieved(root, attachments, read)


def _require_unique_id(unique_id: str, path: str, message: Message) -> None:
    """An entryUUID in its place was seen answered by a fault (spec: dmp.md §1.5, TD3.2)."""
    if unique_id.startswith("urn:uuid:") or not unique_id:
        problem = _problem("XDSDocumentUniqueIdError", f"{path}/DocumentUniqueId",
                           "it is no uniqueId", "the OID of the document, not its entryUUID")  # fmt: skip
        raise DmpFault(
            "XDSDocumentUniqueIdError",
            "DocumentUniqueId doit être l'OID du document.",
            [problem],
            relates_to=message.message_id,
        )


def _answer(unique_id: str, mime: str, content_id: str) -> etree._Element:
    answer = etree.Element(f"{{{XDSB}}}DocumentResponse")
    for name, value in (
        ("RepositoryUniqueId", names.REPOSITORY_ID),
        ("DocumentUniqueId", unique_id),
        ("mimeType", mime),
    ):
        etree.SubElement(answer, f"{{{XDSB}}}{name}").text = value
    document = etree.SubElement(answer, f"{{{XDSB}}}Document")
    include = etree.SubElement(document, f"{{{XOP}}}Include", nsmap={"xop": XOP})
    include.set("href", f"cid:{content_id}")
    return answer


def _problem(rule: str, path: str, message: str, expected: str) -> Problem:
    return Problem(rule, path, message, expected, source=SOURCE)
