"""The refusals of the registry, each with what the sender can do about it."""

from collections.abc import Sequence

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


_TRAITS = {
    "family_name": ("name/family[@qualifier='BR']", "le nom de naissance"),
    "birth_date": ("birthTime", "la date de naissance"),
    "sex": ("administrativeGenderCode", "le sexe"),
}


def other_traits(names: Sequence[str]) -> DomainError:
    """The traits of a document are those of its INS (spec: ins.md §2; RNIV 1). Which value INS has is
    not known here, only that it is another."""
    return DomainError(
        Category.UNPROCESSABLE,
        "traits_differ",
        f"The document's traits are not those of its INS: {', '.join(names)}.",
        problems=[
            Problem(
                "DMP-INS-TRAITS",
                f"/ClinicalDocument/recordTarget/patientRole/patient/{_TRAITS[name][0]}",
                f"{_TRAITS[name][1]} n'est pas celui de l'identité qualifiée",
                "the traits that INSi returned with the matricule, unchanged",
                source="RNIV 1; spec ins.md §2",
            )
            for name in names
            if name in _TRAITS
        ],
    )


def no_record(status: str) -> DomainError:
    """Only an open record is fed (spec: dmp.md §1.3, chain of prerequisites)."""
    known = "is closed" if status == "terminated" else "does not exist"
    return DomainError(
        Category.UNPROCESSABLE,
        "record_closed" if status == "terminated" else "record_unknown",
        f"The patient's record {known}.",
        problems=[
            Problem(
                "XDSUnknownPatientId",
                "/ClinicalDocument/recordTarget/patientRole/id",
                f"the patient's record {known}",
                "a patient whose test of existence (TD0.2) says active; "
                "POST /_sandbox/dmp/records makes one",
                source="spec dmp.md §1.3",
            )
        ],
    )


def feeding_opposed() -> DomainError:
    """Feeding needs no authorization, only that the patient does not oppose (spec: dmp.md §1.3)."""
    return DomainError(
        Category.UNPROCESSABLE,
        "feeding_opposed",
        "The patient opposes documents in this record.",
        problems=[
            Problem(
                "LocalPolicyRestrictionError",
                "/ClinicalDocument/recordTarget/patientRole/id",
                "the patient opposes documents in this record",
                "a patient who does not: POST /_sandbox/dmp/records with opposes_feeding false",
                source="spec dmp.md §1.3",
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


def identifier_taken(unique_id: str) -> DomainError:
    """An entryUUID that the producer chose names another document already."""
    return DomainError(
        Category.CONFLICT,
        "XDSRegistryMetadataError",
        "The entryUUID of a document is taken.",
        problems=[
            Problem(
                "XDSRegistryMetadataError",
                "ExtrinsicObject/@id",
                f"the id of the document {unique_id} is another document's",
                "a new UUID, or a symbolic id: the registry then chooses the UUID",
                source="ITI TF-3 §4.1.12.3",
            )
        ],
    )


def unrelatable(path: str, status: str | None) -> Problem:
    """`status` is that of the target, None where there is none."""
    if status is None:
        return Problem(
            "XDSReplaceFailed",
            path,
            "no document of this entryUUID is registered",
            "the entryUUID of a registered document: GetDocuments by its uniqueId tells it (TD3.1b)",
            source="ITI TF-3 §4.2.2.2; spec dmp.md §1.4",
        )
    return Problem(
        "XDSRegistryDeprecatedDocumentError",
        path,
        f"the document has the status {status}: it was replaced, updated or withdrawn since",
        "the entryUUID of the version whose status is Approved",
        source="ITI TF-3 §4.2.2.2",
    )


def another_patient(path: str) -> Problem:
    return Problem(
        "XDSPatientIdDoesNotMatch",
        path,
        "the registered document is another patient's",
        "a document of the same patient",
        source="ITI TF-3 §4.2.2.2",
    )


def too_many(path: str, most: int) -> Problem:
    return Problem(
        "DMP-SUBMISSION-SIZE",
        path,
        "the submission names too many documents",
        f"at most {most} relations, and {most} entries of folders; several submissions otherwise",
        source="a bound of this registry",
    )


def no_such_folder(path: str) -> Problem:
    return Problem(
        "XDSRegistryMetadataError",
        path,
        "no folder of this entryUUID is registered",
        "the id of a folder of the lot, or the entryUUID of a registered one (GetFolders)",
        source="ITI TF-3 §4.2.2.2",
    )


def no_such_member(path: str) -> Problem:
    return Problem(
        "XDSRegistryMetadataError",
        path,
        "no document of this entryUUID is registered",
        "the id of a document of the lot, or the entryUUID of a registered one (GetDocuments)",
        source="ITI TF-3 §4.2.2.2",
    )


def folder_taken(path: str) -> Problem:
    return Problem(
        "XDSDuplicateUniqueIdInRegistry",
        path,
        "its uniqueId or its entryUUID is another folder's",
        "the entryUUID of the registered folder as sourceObject, to add documents to it; or new ids",
        source="ITI TF-3 table 4.2.4.1-2",
    )


def folder_of_another(path: str) -> Problem:
    return Problem(
        "XDSPatientIdDoesNotMatch",
        path,
        "the folder and the documents of the lot are not of one patient",
        "a folder of the same patient",
        source="ITI TF-3 §4.2.2.2",
    )


def not_related(problems: list[Problem]) -> DomainError:
    return DomainError(
        Category.CONFLICT,
        problems[0].rule,
        "What this submission adds to, replaces or completes is not there as it says; nothing was "
        "stored.",
        problems=problems,
    )


def no_such_document(path: str) -> DomainError:
    return _update_refused(
        Category.NOT_FOUND,
        "XDSMetadataIdentifierError",
        path,
        "no document of this identifier is registered, or it is not shown to this professional",
        "the logicalId of a registered document, or the entryUUID of its latest version",
    )


def another_version(path: str, version: int) -> DomainError:
    return _update_refused(
        Category.CONFLICT,
        "XDSMetadataVersionError",
        path,
        f"the document is in version {version}: it has changed since it was read",
        f"PreviousVersion {version} and the entry of that version",
    )


def another_revision(revision: int) -> DomainError:
    """FHIR R4 §3.1.0.5: a version conflict of If-Match is 412."""
    return DomainError(
        Category.CONFLICT,
        "version_conflict",
        f"The document is in version {revision}: it has changed since it was read.",
        problems=[
            Problem(
                "FHIR-IF-MATCH",
                "/http/headers/If-Match",
                "the document has changed since it was read",
                f'W/"{revision}", once the document has been read again',
                source="FHIR R4 §3.1.0.5",
            )
        ],
        status=412,
    )


def not_a_status(path: str, status: str) -> DomainError:
    """What deletes is an open question of the guide (spec: dmp.md §11, issue #99)."""
    return _update_refused(
        Category.UNPROCESSABLE,
        "PDSM-PATCH-STATUS",
        path,
        f"a document does not become {status[:40] or 'a thing without status'} by a PATCH",
        "entered-in-error to delete (TD3.3c); a replacement supersedes (TD2.1b); "
        "SOCLE_DMP_FHIR_DELETE_STATUS=superseded makes superseded delete too",
    )


def another_status(path: str, status: str) -> DomainError:
    return _update_refused(
        Category.CONFLICT,
        "XDSMetadataUpdateOperationError",
        path,
        f"the status of the document is {status}",
        f"OriginalStatus {status}",
    )


def impossible_status(path: str, old: str, new: str) -> DomainError:
    return _update_refused(
        Category.UNPROCESSABLE,
        "XDSMetadataUpdateOperationError",
        path,
        f"a document that is {old} does not become {new}",
        "Approved to Archived and back (TD3.3d), or either to Deleted (TD3.3c)",
    )


def set_of_another_patient(path: str) -> DomainError:
    return _update_refused(
        Category.UNPROCESSABLE,
        "XDSPatientIdDoesNotMatch",
        path,
        "the document and the submission set are not of one patient",
        "the CX of the document's patient as patientId of the set",
    )


def not_changeable(path: str, status: str) -> DomainError:
    return _update_refused(
        Category.UNPROCESSABLE,
        "XDSMetadataUpdateOperationError",
        path,
        f"the document is {status}",
        "a document that is Approved or Archived",
    )


def unmodifiable(path: str, differing: Sequence[tuple[str, object]]) -> DomainError:
    names = ", ".join(name for name, _ in differing)
    return DomainError(
        Category.UNPROCESSABLE,
        "UnmodifiableMetadataError",
        f"Only the confidentiality of a document may change; this changes {names}.",
        problems=[
            Problem(
                "UnmodifiableMetadataError",
                f"{path}/{name}",
                "it is another than what is registered",
                str(value)[:128],
                source=_UPDATE,
            )
            for name, value in differing
        ],
    )


def not_owner(path: str, what: str) -> DomainError:
    """Rights matrix: own documents, or all of them for the treating doctor (spec: dmp.md §1.9)."""
    return _update_refused(
        Category.FORBIDDEN,
        "LocalPolicyRestrictionError",
        path,
        "the caller is neither an author of the document nor who submitted it, nor treating doctor",
        f"an author, who may submit it, or the treating doctor {what}",
    )


_UPDATE = "spec dmp.md §1.5 (TD3.3), §1.9"


def _update_refused(
    category: Category, rule: str, path: str, message: str, expected: str
) -> DomainError:
    return DomainError(
        category,
        rule,
        f"The document cannot be changed: {message}.",
        problems=[Problem(rule, path, message, expected, source=_UPDATE)],
    )
