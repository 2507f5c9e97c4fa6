"""The metadata of a submission set as XDS knows them, whichever door it came through."""

from dataclasses import asdict, dataclass, field
from typing import Any

from socle.xds.document_entry import Author, Coded, ExtraSlots, extra_of_json


@dataclass(frozen=True, slots=True)
class SubmissionSet:
    """`submission_time` is a UTC stamp of HL7v2; `patient_id` is a CX."""

    unique_id: str
    source_id: str
    patient_id: str = field(repr=False)
    submission_time: str
    content_type: Coded
    authors: tuple[Author, ...] = ()
    title: str = field(default="", repr=False)
    comments: str = field(default="", repr=False)
    intended_recipients: tuple[str, ...] = field(default=(), repr=False)
    """XON and XCN, with a bar between them (ITI TF-3 §4.2.3.3.7)."""
    extra: ExtraSlots = field(default=(), repr=False)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, stored: dict[str, Any]) -> "SubmissionSet":
        """What `as_json` gave, through JSON; the last two fields were not always kept."""
        values = {
            **stored,
            "content_type": Coded(**stored["content_type"]),
            "authors": tuple(map(Author.of_json, stored["authors"])),
            "intended_recipients": tuple(stored.get("intended_recipients", ())),
            "extra": extra_of_json(stored.get("extra", ())),
        }
        return cls(**values)
