"""ITI-57, Update Document Set: TD3.3a to d (spec: dmp.md §1.5; ITI TF-2 §3.57)."""

from dataclasses import dataclass, field
from typing import Final

from services.dmp.changes import Change
from services.dmp.domain.visibility import CODES, confidentiality_of
from services.dmp.xds.message import Message
from socle.problems import Problem
from socle.xds import names
from socle.xds.ebrim import Association, RegistryObject, first, read_objects, read_uuid
from socle.xds.entry import read_entry
from socle.xds.names import LCM, RIM
from socle.xds.sets import read_set
from socle.xds.submission_set import SubmissionSet

SOURCE: Final = "ITI TF-2 §3.57; spec dmp.md §1.5 (TD3.3)"
_REQUEST: Final = f"{{{LCM}}}SubmitObjectsRequest"


@dataclass(slots=True)
class Update:
    """What was found; `problems` holds everything that is wrong with it."""

    submission_set: SubmissionSet | None = None
    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, rule: str, path: str, message: str, expected: str) -> None:
        self.problems.append(Problem(rule, path, message, expected, source=SOURCE))


def read_update(message: Message) -> Update:
    update = Update()
    parent = message.body.find(f"{{{RIM}}}RegistryObjectList")
    if message.body.tag != _REQUEST or parent is None:
        update.problem("XDSMetadataUpdateError", "/Envelope/Body", "another request",
                       "lcm:SubmitObjectsRequest with a rim:RegistryObjectList")  # fmt: skip
        return update
    objects = read_objects(parent)
    found = read_set(objects)
    update.problems += found.problems
    update.submission_set = found.submission_set
    of_set = found.submission_set.patient_id if found.submission_set else ""
    for given in objects.documents:
        if given.external_ids.get(names.PATIENT, of_set) != of_set:
            update.problem("XDSPatientIdDoesNotMatch", f"{given.path}/patientId",
                           "the entry and the submission set are not of one patient",
                           "the same CX everywhere")  # fmt: skip
    for folder in found.folders:
        update.problem("XDSMetadataUpdateOperationError", folder.path, "a folder is not updated here",
                       "documents only (TD3.3); a lot of ITI-41 adds documents to a folder")  # fmt: skip
    package = found.package.id if found.package else ""
    documents = {one.id: one for one in objects.documents}
    for one in objects.associations:
        path = f"Association[{one.id[:64]}]"
        if one.source != package and one.kind in (names.HAS_MEMBER, names.UPDATES_STATUS):
            update.problem("XDSMetadataUpdateError", f"{path}/@sourceObject",
                           "it is not the submission set", package or "the id of the set")  # fmt: skip
        elif one.kind == names.UPDATES_STATUS:
            _read_status(update, one, path)
        elif one.kind == names.HAS_MEMBER and one.target in documents:
            _read_version(update, one, documents.pop(one.target))
        elif one.kind == names.HAS_MEMBER:
            update.problem("XDSMetadataUpdateError", f"{path}/@targetObject",
                           "no ExtrinsicObject has this id", "the entry that is sent again")  # fmt: skip
        else:
            update.problem("XDSMetadataUpdateOperationError", f"{path}/@associationType",
                           "another operation", f"{names.HAS_MEMBER}, {names.UPDATES_STATUS}")  # fmt: skip
    for left in documents.values():
        update.problem("XDSMetadataUpdateError", left.path, "no association HasMember names it",
                       "HasMember with the slot PreviousVersion")  # fmt: skip
    if not update.changes and not update.problems:
        update.problem("XDSMetadataUpdateOperationError", "RegistryObjectList", "it changes nothing",
                       "an ExtrinsicObject with HasMember, or UpdateAvailabilityStatus")  # fmt: skip
    return update


def _read_version(update: Update, member: Association, document: RegistryObject) -> None:
    logical_id = read_uuid(document.logical_id)
    if logical_id is None:
        update.problem("XDSMetadataIdentifierError", f"{document.path}/@lid", "it is no logicalId",
                       "urn:uuid: and the lid of the registered entry")  # fmt: skip
    if document.logical_id and document.logical_id == document.id:
        update.problem("XDSMetadataIdentifierError", f"{document.path}/@id", "it is the logicalId",
                       "a symbolic id, or a new UUID")  # fmt: skip
    previous = first(member.slots, "PreviousVersion")
    if not (previous.isascii() and previous.isdecimal() and len(previous) < 9):
        update.problem("XDSMetadataVersionError", f"Association[{member.id[:64]}]/PreviousVersion",
                       "it is missing or no number",
                       "VersionInfo/@versionName of the entry that is updated")  # fmt: skip
    entry = read_entry(document)
    codes = [code.code for code in entry.confidentiality]
    unknown = [code for code in codes if code not in CODES]
    if unknown or not codes:
        update.problem("XDSMetadataUpdateError", f"{document.path}/confidentialityCode",
                       f"unknown: {unknown[0][:40]}" if unknown else "it is missing",
                       ", ".join(CODES))  # fmt: skip
    if update.problems or logical_id is None:
        return
    update.changes.append(
        Change(
            str(logical_id),
            document.path,
            confidentiality=confidentiality_of(codes),
            believed_version=int(previous),
            believed_entry=entry,
        )
    )


def _read_status(update: Update, one: Association, path: str) -> None:
    target = read_uuid(one.target)
    if target is None:
        update.problem("XDSMetadataIdentifierError", f"{path}/@targetObject", "it is no entryUUID",
                       "urn:uuid: and the entryUUID of the registered entry")  # fmt: skip
    statuses = []
    for name in ("OriginalStatus", "NewStatus"):
        given = first(one.slots, name)
        status = names.STATUS_OF.get(given)
        if status is None:
            update.problem("XDSMetadataUpdateOperationError", f"{path}/{name}",
                           "it is missing or unknown", ", ".join(names.STATUS_OF))  # fmt: skip
        else:
            statuses.append(status)
    if target is not None and len(statuses) == 2:
        update.changes.append(
            Change(
                str(target), path, status=statuses[1], believed_status=statuses[0],
                believed_id=target,
            )
        )  # fmt: skip
