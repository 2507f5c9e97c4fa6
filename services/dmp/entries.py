"""From deposits to the rows of the registry, and the fact that each of them is."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from services.dmp.domain.deposit import Deposit
from services.dmp.domain.entry import Entry
from services.dmp.domain.record import person_of
from services.dmp.domain.visibility import is_masked, owners_of
from services.dmp.events import document_registered
from socle.cda.metadata import DocumentMetadata
from socle.http.context import traceparent
from socle.ids.traits import trait_fingerprints
from socle.kernel import Kernel
from socle.spaces import Space


@dataclass(frozen=True, slots=True)
class NewSet:
    """A submission set on its way in; `submitter` is a professional's or a structure's identifier."""

    id: UUID
    metadata: dict[str, Any] = field(repr=False)
    submitter: str = field(repr=False)
    at: datetime


def new_entries(
    kernel: Kernel,
    space: Space,
    submission: NewSet,
    deposits: Sequence[Deposit],
    chains: Mapping[UUID, UUID] | None = None,
    *,
    compare_traits: bool = True,
) -> list[Entry]:
    """`chains` names, by entryUUID, the chain of each document that replaces one."""
    return [
        _entry(kernel, space, submission, deposit, chains or {}, compare_traits)
        for deposit in deposits
    ]


def _entry(
    kernel: Kernel,
    space: Space,
    submission: NewSet,
    deposit: Deposit,
    chains: Mapping[UUID, UUID],
    compare_traits: bool,
) -> Entry:
    metadata, ins, entry_id = deposit.metadata, deposit.ins, deposit.id
    patient = kernel.pseudonym(space.name, ins.oid, ins.matricule)
    chain_id = chains.get(entry_id, entry_id)
    event = document_registered(
        space.name,
        patient,
        ins,
        metadata,
        entry_id=entry_id,
        logical_id=entry_id,
        chain_id=chain_id,
        confidentiality=[code.code for code in deposit.entry.confidentiality],
        at=submission.at,
        traceparent=traceparent.get(),
    )
    return Entry(
        id=entry_id,
        # The first version gives the document its lasting identifier.
        logical_id=entry_id,
        chain_id=chain_id,
        submission_set=submission.id,
        space=space.name,
        unique_id=metadata.unique_id,
        patient=patient,
        ins_oid=ins.oid,
        matricule=ins.matricule,
        type_code=metadata.type_code.code,
        class_code=metadata.class_code.code if metadata.class_code else "",
        created_at=metadata.creation_time,
        registered_at=submission.at,
        sha256=bytes.fromhex(metadata.sha256),
        content=deposit.content,
        metadata=orjson.dumps(_row_metadata(deposit)),
        set_metadata=orjson.dumps(submission.metadata),
        submitter=submission.submitter,
        masked=is_masked(deposit.entry),
        owners=" ".join(owners_of(deposit.entry, submission.submitter)),
        event=event.value,
        traits=orjson.dumps(_fingerprints(kernel, metadata) if compare_traits else {}),
    )


def _fingerprints(kernel: Kernel, metadata: DocumentMetadata) -> dict[str, str]:
    """Of the traits that the document gives: what it lacks is compared with nothing."""
    person = person_of(metadata.source_patient_info)
    given = {
        "family_name": person.family_name,
        "birth_date": person.birth_date,
        "sex": person.sex,
    }
    hashed = trait_fingerprints(kernel.settings.require_pseudonym_key(), **given)
    return {name: hashed[name] for name, value in given.items() if value}


def _row_metadata(deposit: Deposit) -> dict[str, Any]:
    """Both forms, so that what one door wrote the other reads."""
    metadata = deposit.metadata
    return {
        "submitted": deposit.reference,
        "xds": deposit.entry.as_json(),
        "size": metadata.size,
        "sha1_base64": base64.b64encode(bytes.fromhex(metadata.sha1)).decode(),
        "mime": metadata.mime_type,
        "title": metadata.title,
        "level": metadata.level,
        "format_code": metadata.format_code.code,
    }
