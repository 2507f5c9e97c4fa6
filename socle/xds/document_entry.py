"""The metadata of a document as XDS knows them, whichever door it came through.

Every value is text as it stands in ebRIM (ITI TF-3 §4.2.3.2), so that what was sent comes back.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, TypeAlias

from socle.cda.metadata import AuthorMetadata, DocumentMetadata
from socle.cda.model import Code
from socle.ids.ins import Ins

NORMAL: Final = "2.16.840.1.113883.5.25"
"""v3 Confidentiality, the system of N, R and V."""

FORMATS: Final = "1.3.6.1.4.1.19376.1.2.3"
"""IHE's format codes. Unverified (memory): the scheme that the DMP itself writes is not known."""

ExtraSlots: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]
"""Names and values of the slots that nothing here reads: what they say is for whoever asks for them
(ITI TF-3 §4.2.3.1.6, extra metadata)."""


@dataclass(frozen=True, slots=True)
class Coded:
    code: str
    system: str
    display: str = ""


@dataclass(frozen=True, slots=True)
class Author:
    """`person` is an XCN, an institution an XON, a telecommunication an XTN; roles and specialties are
    text or CE."""

    person: str = field(default="", repr=False)
    institutions: tuple[str, ...] = field(default=(), repr=False)
    roles: tuple[str, ...] = ()
    specialties: tuple[str, ...] = ()
    telecommunications: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> "Author":
        """What `asdict` gave, through JSON; telecommunications were not always kept."""
        return cls(
            stored["person"],
            tuple(stored["institutions"]),
            tuple(stored["roles"]),
            tuple(stored["specialties"]),
            tuple(stored.get("telecommunications", ())),
        )


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """Times are UTC stamps of HL7v2 (YYYYMMDDhhmmss, or fewer digits); `patient_id` is a CX.

    `hash` is the SHA-1 in hexadecimal.
    """

    unique_id: str
    patient_id: str = field(repr=False)
    type_code: Coded
    class_code: Coded
    format_code: Coded
    facility_type: Coded
    practice_setting: Coded
    confidentiality: tuple[Coded, ...]
    event_codes: tuple[Coded, ...] = ()
    authors: tuple[Author, ...] = ()
    title: str = field(default="", repr=False)
    comments: str = field(default="", repr=False)
    creation_time: str = ""
    service_start: str = ""
    service_stop: str = ""
    language: str = ""
    mime_type: str = "text/xml"
    legal_authenticator: str = field(default="", repr=False)
    source_patient_id: str = field(default="", repr=False)
    source_patient_info: tuple[str, ...] = field(default=(), repr=False)
    reference_ids: tuple[str, ...] = field(default=(), repr=False)
    size: int = 0
    hash: str = ""
    extra: ExtraSlots = field(default=(), repr=False)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, stored: dict[str, Any]) -> "DocumentEntry":
        """What `as_json` gave, through JSON."""
        values = dict(stored)
        for name in ("type_code", "class_code", "format_code", "facility_type", "practice_setting"):
            values[name] = Coded(**values[name])
        for name in ("confidentiality", "event_codes"):
            values[name] = tuple(Coded(**one) for one in values[name])
        values["authors"] = tuple(map(Author.of_json, values["authors"]))
        values["extra"] = extra_of_json(values.get("extra", ()))
        for name in ("source_patient_info", "reference_ids"):
            values[name] = tuple(values[name])
        return cls(**values)


def extra_of_json(stored: Iterable[tuple[str, Iterable[str]]]) -> ExtraSlots:
    return tuple((name, tuple(values)) for name, values in stored)


def entry_of(
    metadata: DocumentMetadata, ins: Ins, confidentiality: tuple[Coded, ...] = ()
) -> DocumentEntry:
    """From the CDA header: what a producer writes who follows the mapping of the DMP (§1.4)."""
    return DocumentEntry(
        unique_id=metadata.unique_id,
        patient_id=ins.cx,
        type_code=_coded(metadata.type_code),
        class_code=_coded(metadata.class_code),
        format_code=_format(metadata.format_code),
        facility_type=_coded(metadata.facility_type),
        practice_setting=_coded(metadata.practice_setting),
        confidentiality=confidentiality or (Coded(metadata.confidentiality or "N", NORMAL, ""),),
        event_codes=tuple(_coded(code) for code in metadata.event_codes),
        authors=tuple(_author(author) for author in metadata.authors),
        title=metadata.title,
        creation_time=metadata.creation_time.strftime("%Y%m%d%H%M%S"),
        service_start=metadata.service_start.xds if metadata.service_start else "",
        service_stop=metadata.service_stop.xds if metadata.service_stop else "",
        language=metadata.language,
        mime_type=metadata.mime_type,
        legal_authenticator=metadata.legal_authenticator,
        source_patient_id=metadata.source_patient_id,
        source_patient_info=metadata.source_patient_info,
        size=metadata.size,
        hash=metadata.sha1,
    )


def _coded(code: Code | None) -> Coded:
    return Coded(code.code, code.system, code.display) if code else Coded("", "")


def _format(code: Code) -> Coded:
    return Coded(code.code, code.system or FORMATS, code.display)


def _author(author: AuthorMetadata) -> Author:
    role = author.role
    specialty = f"{role.code}^{role.display}^{role.system}" if role else ""
    return Author(
        author.person,
        (author.institution,) if author.institution else (),
        (),
        (specialty,) if specialty else (),
    )
