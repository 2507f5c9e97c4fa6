"""The refusals of the registry, each with what the sender can do about it."""

from socle.errors import Category, DomainError
from socle.problems import Problem


def not_qualified(status: str | None) -> DomainError:
    """Only a qualified INS feeds the DMP (spec: ins.md §6, RNIV; dmp.md §1.4)."""
    known = f"its identity is {status}" if status else "no identity record knows it in this space"
    return DomainError(
        Category.UNPROCESSABLE,
        "ins_not_qualified",
        f"The patient's INS is not qualified: {known}.",
        problems=[
            Problem(
                "DMP-INS-QUALIFIED",
                "/ClinicalDocument/recordTarget/patientRole/id",
                f"the INS is not qualified: {known}",
                "an INS returned by INSi and an identity validated by a document: "
                "POST /ins/identities, then /search and /evidence; or qualify a test person "
                "with POST /_sandbox/ins/people",
                source="RNIV 1 §3.3; spec dmp.md §1.4 patientId",
            )
        ],
    )


def same_identifier_other_bytes(unique_id: str) -> DomainError:
    """ITI TF-3 table 4.2.4.1-2; a new version needs a new identifier and relatesTo `replaces`."""
    return DomainError(
        Category.CONFLICT,
        "XDSNonIdenticalHash",
        "A document with this identifier and other bytes is registered already.",
        problems=[
            Problem(
                "XDSNonIdenticalHash",
                "/ClinicalDocument/id",
                f"{unique_id} is registered with another content",
                "the same bytes to repeat a deposit, or a new id to deposit another document",
                source="ITI TF-3 §4.2.4.1",
            )
        ],
    )


def partly_registered() -> DomainError:
    return DomainError(
        Category.CONFLICT,
        "XDSDuplicateUniqueIdInRegistry",
        "Some documents of this submission are registered already and others are not; "
        "a submission is all or nothing.",
        problems=[
            Problem(
                "XDSDuplicateUniqueIdInRegistry",
                "Bundle.entry",
                "the submission mixes new documents with documents of an earlier one",
                "the whole earlier submission again, or only new documents",
                source="ITI TF-2 §3.65.4.1.3",
            )
        ],
    )
