"""The platform at the DMP's own door, over HTTP: one deposit, from the questions to the deed."""

import asyncio
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Final
from uuid import UUID

import httpx
from cryptography import x509
from lxml import etree

from services.mss.hl7v2.dmp import soap
from services.mss.hl7v2.dmp.deposit import Deposit
from services.mss.hl7v2.dmp.lot import submission_set, write_lot
from services.mss.hl7v2.dmp.soap import DmpAway, DmpRefused, Registered
from services.mss.hl7v2.dmp.vihf import Standing, security_header
from services.mss.settings import MssSettings
from socle.clock import wall
from socle.http.outgoing import inner_client
from socle.http.render import SOAP_12
from socle.pki import SandboxCa
from socle.pki.ca import read_key
from socle.pki.issuing import Issued
from socle.soap.mtom import write_multipart
from socle.spaces import Space
from socle.xdm import SourceDocument
from socle.xds import names

SERVICES: Final = "si-dmp-server/v2/services"
SEAL: Final = "pfi.socle.mssante.fr"
_PATIENCE_SECONDS: Final = 60.0


class DmpDoor:
    """One a process. Its certificate signs every VIHF and every lot (guide, mapping: the seal of the
    structure; here the platform has one of the sandbox's authority, in SOCLE_HOME)."""

    def __init__(self, settings: MssSettings) -> None:
        self._home = settings.home
        self._base = settings.dmp_url
        self._http = inner_client(settings.dmp_url, timeout=_PATIENCE_SECONDS)
        self._seal: Issued | None = None

    async def __aenter__(self) -> "DmpDoor":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def carry_out(
        self,
        space: Space,
        deposit: Deposit,
        documents: Sequence[SourceDocument],
        set_id: UUID,
        standing: Standing,
    ) -> None:
        """Returns where the DMP has done it, or had done it before; raises DmpAway or DmpRefused.
        `documents` are those of the deposit, read."""
        conversation = _Conversation(self, space, deposit, standing)
        if deposit.action == "D":
            await conversation.delete(documents, set_id)
        else:
            await conversation.provide(documents, set_id)

    async def post(
        self, space: str, service: str, content_type: str, content: bytes
    ) -> etree._Element:
        path = f"/s/{space}/{SERVICES}/{service}"
        try:
            answer = await self._http.post(
                path, content=content, headers={"Content-Type": content_type}
            )
        except httpx.HTTPError as error:
            raise DmpAway(type(error).__name__) from None
        given = answer.headers.get("content-type", "")
        return await asyncio.to_thread(soap.read_answer, answer.status_code, given, answer.content)

    async def seal(self) -> Issued:
        if self._seal is None:
            self._seal = await asyncio.to_thread(self._open_seal)
        return self._seal

    def _open_seal(self) -> Issued:
        found = SandboxCa.open(self._home / "ca").client(SEAL)
        certificate = x509.load_pem_x509_certificate(found.certificate.read_bytes())
        return Issued(certificate, read_key(found.key))

    def address(self, space: str, service: str) -> str:
        return f"{self._base}/s/{space}/{SERVICES}/{service}"


class _Conversation:
    """The calls for one deposit: each with a VIHF of its own."""

    def __init__(self, door: DmpDoor, space: Space, deposit: Deposit, standing: Standing) -> None:
        self._door = door
        self._space = space
        self._deposit = deposit
        self._standing = standing

    async def provide(self, documents: Sequence[SourceDocument], set_id: UUID) -> None:
        replaced = await self._replaced(documents)
        lot = await asyncio.to_thread(
            write_lot, self._deposit, documents, set_id, replaced, await self._door.seal(),
            self._space.now(),
        )  # fmt: skip
        message = await self._envelope(names.PROVIDE, "repository", lot.body)
        content_type, content = write_multipart(message, lot.attachments, names.PROVIDE)
        await self._door.post(self._space.name, "repository", content_type, content)

    async def delete(self, documents: Sequence[SourceDocument], set_id: UUID) -> None:
        """What is deleted already stays so: a platform that died before it knew asks again."""
        left = []
        for document in documents:
            found = await self._find(document.metadata.unique_id)
            if found is None:
                raise DmpRefused(
                    "XDSDocumentUniqueIdError", "The DMP shows no document of this uniqueId."
                )
            if found.status != "Deleted":
                left.append(found)
        if not left:
            return
        submission = submission_set(self._deposit, documents, set_id, self._space.now())
        body = soap.deletion(submission, set_id, left)
        message = await self._envelope(names.UPDATE, "registry", body)
        await self._door.post(self._space.name, "registry", SOAP_12, message)

    async def _replaced(self, documents: Sequence[SourceDocument]) -> Mapping[str, str]:
        """TD2.1b names the entryUUID of what is replaced, which only the registry knows (TD3.1b)."""
        replaced = {}
        for document in documents:
            older = document.metadata.replaces
            if document.action != "C" or older is None:
                continue
            name = f"{older.root}^{older.extension}" if older.extension else older.root
            found = await self._find(name)
            if found is None:
                raise DmpRefused(
                    "XDSReplaceFailed", "The DMP shows no document of the uniqueId to be replaced."
                )
            replaced[document.metadata.unique_id] = found.entry_id
        return replaced

    async def _find(self, unique_id: str) -> Registered | None:
        body = soap.query_by_unique_id(unique_id)
        message = await self._envelope(names.STORED_QUERY, "registry", body)
        answer = await self._door.post(self._space.name, "registry", SOAP_12, message)
        return next(soap.registered_in(answer), None)

    async def _envelope(self, action: str, service: str, body: etree._Element) -> bytes:
        security = security_header(self._deposit, self._standing, await self._door.seal(), wall())
        return soap.envelope(action, self._door.address(self._space.name, service), security, body)
