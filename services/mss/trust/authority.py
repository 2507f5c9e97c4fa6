"""What needs the sandbox's authority: issuing, sealing the whitelist, listing what is revoked."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from fastapi import FastAPI
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from services.mss.domain.whitelist import Entry, whitelist
from services.mss.trust.repository import Stored
from socle.idgen import uuid7
from socle.kernel import Kernel
from socle.pki import IssuingCa, SandboxCa
from socle.pki.certificates import certificate_pem, key_pem
from socle.pki.issuing import Issued, Purpose, Revoked, Validity
from socle.saml.signature import DSIG

SEAL = "listeblanchemssante"
CRL_PATH = "/CRL/ACI-EL-ORG.crl"
"""The path on igc-sante.esante.gouv.fr (spec: mss.md §1.3)."""

KEPT_LISTS = 32


@dataclass
class Authority:
    """One a process. What costs computing runs in a thread: mail goes on meanwhile."""

    ca: IssuingCa
    public_url: str
    _lists: "OrderedDict[str, tuple[tuple[int, datetime], bytes]]" = field(
        default_factory=OrderedDict
    )

    def crl_url(self, space: str) -> str:
        return f"{self.public_url.rstrip('/')}/s/{space}{CRL_PATH}"

    async def issue(
        self,
        space: str,
        subject: x509.Name,
        purpose: Purpose,
        *,
        operator: str | None = None,
        hosts: Sequence[str] = (),
        validity: Validity = "valid",
    ) -> Stored:
        issued = await asyncio.to_thread(
            self.ca.issue,
            subject,
            purpose,
            hosts=hosts,
            validity=validity,
            crl_url=self.crl_url(space),
        )
        pem = key_pem(issued.key).decode()
        return described(issued.certificate, space, purpose, operator=operator, key=pem)

    def has_issued(self, stored: Stored) -> bool:
        """False for what another installation's authority has issued into the same database."""
        return self.ca.has_issued(x509.load_pem_x509_certificate(stored.pem.encode()))

    async def sealed_whitelist(
        self, space: str, version: int, changed_at: datetime, entries: Sequence[Entry]
    ) -> bytes:
        """The same bytes as long as the list is the same: PKCS #1 v1.5 draws nothing."""
        known = self._lists.get(space)
        if known is not None and known[0] == (version, changed_at):
            return known[1]
        made = await asyncio.to_thread(self._seal, entries, changed_at)
        self._lists[space] = ((version, changed_at), made)
        self._lists.move_to_end(space)
        while len(self._lists) > KEPT_LISTS:
            self._lists.popitem(last=False)
        return made

    def _seal(self, entries: Sequence[Entry], changed_at: datetime) -> bytes:
        return sign(whitelist(entries, changed_at), self.ca.seal(SEAL))

    async def revocation_list(self, revoked: Sequence[tuple[int, datetime]]) -> bytes:
        listed = [Revoked(serial, at) for serial, at in revoked]
        return await asyncio.to_thread(self.ca.revocation_list, listed, len(listed) + 1)


def sign(root: etree._Element, seal: Issued) -> bytes:
    """Enveloped XMLDSig as the published list has it: exc-c14n, rsa-sha256, URI="" (mss.md §1.5)."""
    signer = XMLSigner(
        signature_algorithm=SignatureMethod.RSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    unprefixed: Any = {None: DSIG}  # as the published signature is
    signer.namespaces = unprefixed
    signed = signer.sign(root, key=seal.key, cert=certificate_pem(seal.certificate).decode())
    return etree.tostring(signed, xml_declaration=True, encoding="UTF-8")


def described(
    certificate: x509.Certificate,
    space: str,
    purpose: str,
    *,
    operator: str | None = None,
    key: str | None = None,
    id_: UUID | None = None,
) -> Stored:
    return Stored(
        id=id_ or uuid7(),
        space=space,
        operator=operator,
        purpose=purpose,
        fingerprint=certificate.fingerprint(hashes.SHA256()),
        serial=f"{certificate.serial_number:x}",
        subject=certificate.subject.rfc4514_string(),
        pem=certificate_pem(certificate).decode(),
        key_pem=key,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )


@asynccontextmanager
async def authority_of(kernel: Kernel, app: FastAPI) -> AsyncIterator[None]:
    """A resource of the service: reachable as `app.state.authority`."""
    root = await asyncio.to_thread(SandboxCa.open, kernel.settings.home / "ca")
    ca = await asyncio.to_thread(IssuingCa.open, root)
    app.state.authority = Authority(ca, kernel.settings.public_url)
    yield
