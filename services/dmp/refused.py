"""What refused documents say of themselves, as far as they can be read: whose refusal it was."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from services.dmp.domain.deposit import Deposit
from socle.cda.header import read_header
from socle.cda.hl7v2 import extension
from socle.cda.metadata import patient_ins
from socle.cda.xml import MalformedCdaError
from socle.ids import oids
from socle.ids.ins import Ins
from socle.ids.professionals import parse_idnat
from socle.ids.structures import StructureId, parse_struct_idnat


@dataclass(frozen=True, slots=True)
class Refused:
    """One document; whatever could not be read of it is empty. `professional` is a PS_IdNat."""

    unique_id: str = ""
    type_code: str = ""
    patient: Ins | None = None
    structure: StructureId | None = None
    professional: str | None = field(default=None, repr=False)


def read_refused(documents: Iterable[tuple[Deposit | None, bytes]]) -> list[Refused]:
    """Each document with what was described of it. An error of its header leaves nothing described,
    and the header is read again: most refusals are of such a document, and have an author too."""
    read = (_described(deposit) if deposit else _read(content) for deposit, content in documents)
    return [one for one in read if one is not None]


def _described(deposit: Deposit) -> Refused:
    metadata, author = deposit.metadata, deposit.metadata.author
    professional = author.professional if author else None
    return Refused(
        metadata.unique_id,
        metadata.type_code.code,
        deposit.ins,
        author.structure if author else None,
        professional.idnat if professional else None,
    )


def _read(content: bytes) -> Refused | None:
    try:
        header = read_header(content)
    except MalformedCdaError:
        return None
    author = header.authors[0].entity if header.authors else None
    organization = author.organization if author else None
    professional = parse_idnat(extension(author.ids, oids.IDNAT_PS)) if author else None
    root = header.id.root if header.id else ""
    number = header.id.extension if header.id else ""
    return Refused(
        f"{root}^{number}" if number else root,
        header.code.code if header.code else "",
        patient_ins(header),
        parse_struct_idnat(extension(organization.ids)) if organization else None,
        professional.idnat if professional else None,
    )
