"""The facts that usage reads and emits."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol
from uuid import UUID

from msgspec import Struct, ValidationError
from msgspec.json import Decoder

from services.usage.domain.declarations import Attestation, Listed, Totals
from services.usage.domain.facts import (
    Act,
    ActKey,
    Cancellation,
    Facts,
    Link,
    Occurrence,
    Version,
    Withdrawal,
    owner_of,
)
from services.usage.shapes import (
    AcceptedMessage,
    Anything,
    CancelledAct,
    DeclaredAct,
    DeletedDocument,
    Envelope,
    ListedPatient,
    PracticeAttested,
    Read,
    RefusedDocument,
    RefusedMessage,
    RegisteredDocument,
    Session,
    TotalsDeclared,
    VerifiedIdentity,
    number_of,
    shaped,
    whole,
)
from socle.events.envelope import Event
from socle.ids.professionals import idnat_of_rpps

SOURCE = "/usage"
MAX_DETAIL = 1000
MORE = "~"
ACTIVITY_DECLARED = "usage.activity.declared.v1"
ACTIVITY_CANCELLED = "usage.activity.cancelled.v1"
PATIENT_LISTED = "usage.activity.listed.v1"
TOTALS_DECLARED = "usage.activity.totalled.v1"
PRACTICE_ATTESTED = "usage.activity.attested.v1"
ATTESTATION_ADVANCED = "usage.attestation.advanced.v1"


class Told(Protocol):
    """What every reader needs of the envelope."""

    @property
    def id(self) -> UUID: ...
    @property
    def type(self) -> str: ...
    @property
    def space(self) -> str: ...
    @property
    def time(self) -> datetime: ...


def facts_of(events: Sequence[Event]) -> Facts:
    """What the events say; raises DomainError for one in the wrong shape."""
    facts = Facts()
    for event in events:
        shape, read = _READERS.get(event.type, _OTHERS)
        read(facts, event, shaped(shape, event))
    return facts


_envelope = Decoder(Envelope)


def read_facts(facts: Facts, value: bytes) -> None:
    """Adds what one record of the log says, as `facts_of` would of the event in it.

    Raises ValueError (of which msgspec's errors are) for one that has to be looked at more closely:
    it may be no event, or one of another spelling than ours.
    """
    start = value.find(_TYPE) + len(_TYPE)
    decoder, read = _WHOLE.get(value[start : value.find(b'"', start)], _IN_PARTS)
    if decoder is not None:
        try:
            event = decoder.decode(value)
        except ValidationError:
            pass  # its type may be written elsewhere, and these words in its data
        else:
            read(facts, event, event.data)
            return
    envelope = _envelope.decode(value)
    parts, read = _DECODERS.get(envelope.type, _OTHER_DECODER)
    read(facts, envelope, parts.decode(envelope.data))


def _registered(facts: Facts, event: Told, data: RegisteredDocument) -> None:
    structure, unique_id = data.author.structure, data.unique_id or data.logical_id
    facts.versions.append(
        Version(
            event.space,
            data.chain_id or data.logical_id,
            data.logical_id,
            event.id,
            unique_id,
            structure.key if structure else "",
            number_of(data.author.professional),
            data.patient,
            data.type_code,
            data.level,
            data.ins.qualified,
            data.created_at,
            data.registered_at,
        )
    )
    facts.links += [Link(event.space, unique_id, act_id) for act_id in data.acts]


def _deleted(facts: Facts, event: Told, data: DeletedDocument) -> None:
    facts.withdrawals.append(Withdrawal(event.space, data.chain_id, data.changed_at))
    _happened(facts, event, data)


def _refused(facts: Facts, event: Told, data: RefusedDocument) -> None:
    """One for each document of the submission; never a numerator (spec: usage.md R3)."""
    count = max(data.documents, len(data.unique_ids), len(data.type_codes), 1)
    words = [
        f"door:{data.door}",
        *(f"rule:{rule}" for rule in data.rules),
        *(f"type:{code}" for code in data.type_codes),
    ]
    facts.occurrences.append(
        Occurrence(
            event.space,
            "dmp.refused",
            str(event.id),
            data.refused_at,
            number_of(data.professional),
            data.structure.key if data.structure else "",
            detail_of(words),
            count,
        )
    )


def _message_refused(facts: Facts, event: Told, data: RefusedMessage) -> None:
    facts.occurrences.append(
        _occurrence(
            event,
            professional=number_of(data.professional),
            structure=data.structure.key if data.structure else "",
            detail=detail_of([f"rule:{data.reason}"] if data.reason else []),
        )
    )


def _identity_verified(facts: Facts, event: Told, data: VerifiedIdentity) -> None:
    words = [f"mode:{data.mode}", f"result:{data.result}"]
    facts.occurrences.append(
        _occurrence(event, professional=number_of(data.professional), detail=detail_of(words))
    )


def detail_of(words: Iterable[str]) -> str:
    """Words of an occurrence as daily sums keep them: each once, sorted, within the bound of an index.
    Whatever comes beyond the bound is told by one word, so that no sum passes for complete."""
    kept: list[str] = []
    for word in sorted({"_".join(word.split()) for word in words}):
        if sum(map(len, kept)) + len(word) + len(kept) > MAX_DETAIL:
            return " ".join([*kept, MORE])
        kept.append(word)
    return " ".join(kept)


def _accepted(facts: Facts, event: Told, data: AcceptedMessage) -> None:
    words = {f"from:{data.sender_kind}"}
    if data.cda_codes:
        words.add("cda")
    if data.ins == "O":
        words.add("ins")
    facts.occurrences.append(
        Occurrence(
            event.space,
            f"mss.{data.direction}",
            str(data.message),
            event.time,
            number_of(data.professional),
            data.structure.key if data.structure else "",
            " ".join(sorted(words)),
        )
    )


def _session(facts: Facts, event: Told, data: Session) -> None:
    facts.occurrences.append(
        _occurrence(
            event,
            professional=idnat_of_rpps(data.rpps) if data.rpps else "",
            detail=data.auth_mode,
        )
    )


def _happened(facts: Facts, event: Told, _: Struct) -> None:
    facts.occurrences.append(_occurrence(event))


def _occurrence(
    event: Told, *, professional: str = "", structure: str = "", detail: str = ""
) -> Occurrence:
    """`dmp.document.archived.v1` is counted as `dmp.archived`."""
    kind = _kind_of(event.type)
    return Occurrence(event.space, kind, str(event.id), event.time, professional, structure, detail)


@lru_cache(maxsize=100)
def _kind_of(type_: str) -> str:
    service, *_, verb, _version = type_.split(".")
    return f"{service}.{verb}"


def _declared(facts: Facts, event: Told, data: DeclaredAct) -> None:
    facts.acts.append(
        Act(
            event.space,
            data.kind,
            data.act_id,
            event.id,
            data.structure or "",
            data.professional or "",
            data.domain or "",
            data.patient or "",
            data.act_at,
            " ".join(sorted(data.flags)),
        )
    )
    facts.links += [Link(event.space, document, data.act_id) for document in data.documents]
    facts.links += [Link(event.space, f"message:{it}", data.act_id) for it in data.messages]


def _cancelled(facts: Facts, event: Told, data: CancelledAct) -> None:
    owner = owner_of(data.structure or "", data.professional or "")
    key = ActKey(event.space, data.kind, owner, data.act_id)
    facts.cancellations.append(Cancellation(key, data.cancelled_at))


def _listed(facts: Facts, event: Told, data: ListedPatient) -> None:
    facts.listed.append(
        Listed(
            event.space,
            data.list,
            data.professional,
            data.patient,
            data.since,
            data.until,
            event.id,
        )
    )


def _totalled(facts: Facts, event: Told, data: TotalsDeclared) -> None:
    owner = owner_of(data.structure or "", data.professional or "")
    facts.totals.append(
        Totals(
            event.space, owner, data.item, data.start, data.end, data.numerator, data.denominator,
            event.id,
        )
    )  # fmt: skip


def _attested(facts: Facts, event: Told, data: PracticeAttested) -> None:
    facts.attestations.append(
        Attestation(
            event.space, data.professional, data.kind, data.form, data.since, data.until,
            data.structure or "", data.evidence, event.id,
        )
    )  # fmt: skip


Reader = Callable[[Facts, Told, Any], None]
_READERS: dict[str, tuple[type[Read], Reader]] = {
    "dmp.document.registered.v1": (RegisteredDocument, _registered),
    "dmp.document.deleted.v1": (DeletedDocument, _deleted),
    "dmp.document.refused.v1": (RefusedDocument, _refused),
    "mss.message.accepted.v1": (AcceptedMessage, _accepted),
    "mss.message.refused.v1": (RefusedMessage, _message_refused),
    "ins.identity.verified.v1": (VerifiedIdentity, _identity_verified),
    "psc.session.opened.v1": (Session, _session),
    "psc.session.closed.v1": (Session, _session),
    ACTIVITY_DECLARED: (DeclaredAct, _declared),
    ACTIVITY_CANCELLED: (CancelledAct, _cancelled),
    PATIENT_LISTED: (ListedPatient, _listed),
    TOTALS_DECLARED: (TotalsDeclared, _totalled),
    PRACTICE_ATTESTED: (PracticeAttested, _attested),
}
_OTHERS: tuple[type[Read], Reader] = (Anything, _happened)
_DECODERS = {type_: (Decoder(shape), read) for type_, (shape, read) in _READERS.items()}
_OTHER_DECODER = (Decoder(Anything), _happened)
# By the bytes of a type that stand where they do in events of ours.
_TYPE = b'"type":"'
_WHOLE: dict[bytes, tuple[Decoder[Any] | None, Reader]] = {
    type_.encode(): (Decoder(whole(type_, shape)), read)
    for type_, (shape, read) in _READERS.items()
}
_IN_PARTS: tuple[None, Reader] = (None, _happened)


def activity_event(type_: str, space: str, data: dict[str, Any], time: datetime) -> Event:
    """`data` as the schema of the type says; what is told of one owner stays in order."""
    subject = data["structure"] or data["professional"]
    return Event.new(type_, source=SOURCE, subject=subject, space=space, time=time, data=data)
