"""A mail as the rules look at it: its header, its parts, the archive and the documents in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from functools import cached_property
from typing import Any

from services.mss.domain.headers import decoded
from services.mss.domain.mime import Part
from socle.cda.metadata import DocumentMetadata
from socle.cda.model import CdaHeader
from socle.ids.ins import CITIZEN_DOMAIN
from socle.problems import Problem
from socle.xdm import Package, PackedDocument


@dataclass(frozen=True, slots=True)
class Passage:
    """How a message came in. Empty where that is not known, or it came by another way than SMTP."""

    protocol: str = ""  # smtp, http, mllp; peer: from another operator
    sender_kind: str = ""
    tls: str = ""  # as OpenSSL names it: TLSv1.2, TLSv1.3
    cipher: str = ""
    mechanism: str = ""  # of SASL: XOAUTH2, OAUTHBEARER, EXTERNAL
    asks_delivery_report: bool = False

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> "Passage":
        """What `as_json` gave; fields that a later version added are left at their default."""
        return cls(**{name: stored[name] for name in cls.__slots__ if name in stored})


@dataclass(frozen=True, slots=True)
class Attached:
    """A part that is no text of the body. `number` counts all leaves of the mail from 1."""

    number: int
    part: Part = field(repr=False)
    name: str = field(repr=False)
    content: bytes = field(repr=False)
    problem: str = ""

    @property
    def path(self) -> str:
        return f"part[{self.number}]"


@dataclass(frozen=True, slots=True)
class Document:
    """A document of the archive. `header` and `metadata` are None where it is no readable CDA."""

    packed: PackedDocument
    header: CdaHeader | None
    metadata: DocumentMetadata | None
    problems: tuple[Problem, ...]
    is_pdf: bool = False


@dataclass
class Mail:
    size: int
    root: Part = field(repr=False)
    sender: str = field(repr=False)
    recipients: tuple[str, ...] = field(repr=False)
    passage: Passage
    leaves: tuple[Part, ...] = field(repr=False)
    attached: tuple[Attached, ...] = field(repr=False)
    archives: tuple[Attached, ...] = field(repr=False)
    packages: tuple[Package, ...] = field(repr=False)
    documents: tuple[Document, ...] = field(repr=False)

    @property
    def headers(self) -> "Message[str, str]":
        return self.root.headers

    def all(self, name: str) -> list[str]:
        """The values of a header field, decoded and unfolded, in their order."""
        return [
            " ".join(decoded(value).split())
            for key, value in self.headers.raw_items()
            if key.lower() == name.lower()
        ]

    def first(self, name: str) -> str:
        return next(iter(self.all(name)), "")

    @property
    def patients(self) -> list[str]:
        return [one for one in self.recipients if is_patient(one)]

    @cached_property
    def cda(self) -> list[CdaHeader]:
        return [document.header for document in self.documents if document.header]


def is_patient(address: str) -> bool:
    return address.rpartition("@")[2].lower() == CITIZEN_DOMAIN
