"""The metadata of a submission set as XDS knows them, whichever door it came through."""

from dataclasses import asdict, dataclass, field
from typing import Any

from socle.xds.document_entry import Author, Coded


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

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, stored: dict[str, Any]) -> "SubmissionSet":
        """What `as_json` gave, through JSON."""
        authors = tuple(
            Author(
                one["person"],
                tuple(one["institutions"]),
                tuple(one["roles"]),
                tuple(one["specialties"]),
            )
            for one in stored["authors"]
        )
        return cls(
            **{**stored, "content_type": Coded(**stored["content_type"]), "authors": authors}
        )
