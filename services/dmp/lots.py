"""The use case of TD2.1: a lot comes in by ITI-41, whole or not at all."""

from dataclasses import dataclass, field, replace
from typing import Any

from services.dmp.description import describe, located
from services.dmp.domain.deposit import Deposit, check_submission
from services.dmp.domain.imaging_object import describe_imaging_object, is_imaging_object
from services.dmp.domain.validation import Policy
from services.dmp.entries import NewSet, new_entries
from services.dmp.fhir.from_xds import reference_of
from services.dmp.hot.registrar import Registrar
from services.dmp.related import Wanted, resolve, with_folders
from services.dmp.settings import DmpSettings
from services.dmp.traces import REFUSALS, tell_refusal
from services.dmp.xds.access import Caller
from services.dmp.xds.checks import (
    check_agreement,
    check_bytes,
    check_document,
    check_folders,
    check_lot_patient,
    check_set_ids,
)
from services.dmp.xds.lot_signature import check_signature
from services.dmp.xds.submission import Lot, SubmittedDocument
from socle.clock import wall
from socle.errors import DomainError
from socle.idgen import uuid7
from socle.kernel import Kernel
from socle.problems import Problem, Severity, has_errors
from socle.saml.signature import read_authorities
from socle.xds.document_entry import DocumentEntry
from socle.xds.submission_set import SubmissionSet

SOURCE = "spec dmp.md §1.4 (signature of the lot)"


class LotRefused(Exception):
    """`problems` holds everything that is wrong, warnings included."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


@dataclass(slots=True)
class _Checked:
    deposit: Deposit | None = None
    problems: list[Problem] = field(default_factory=list)


async def provide_lot(
    kernel: Kernel,
    registrar: Registrar,
    caller: Caller,
    policy: Policy,
    lot: Lot,
    told: list[Problem],
) -> list[Problem]:
    """The warnings of a lot that is stored, durably; `told` receives those that no answer carries."""
    space = caller.space
    checked = [_check(document, lot, policy) for document in lot.documents]
    try:
        return await _store(kernel, registrar, caller, policy, lot, checked, told)
    except (LotRefused, DomainError) as error:
        if isinstance(error, LotRefused) or error.category in REFUSALS:
            documents = [
                (item.deposit, document.content)
                for item, document in zip(checked, lot.documents, strict=True)
            ]
            await tell_refusal(
                kernel, space, documents, error.problems, "xds", sender=caller.identifier,
                sender_structure=caller.vihf.structure if caller.vihf else "",
            )  # fmt: skip
        raise


async def _store(
    kernel: Kernel,
    registrar: Registrar,
    caller: Caller,
    policy: Policy,
    lot: Lot,
    checked: list[_Checked],
    told: list[Problem],
) -> list[Problem]:
    assert isinstance(kernel.settings, DmpSettings)
    space = caller.space
    deposits = [item.deposit for item in checked if item.deposit is not None]
    problems = [*lot.problems, *(problem for item in checked for problem in item.problems)]
    problems += _check_signature(lot, kernel.settings, told)
    problems += check_submission(deposits, lot.set_path)
    if lot.submission_set is not None:
        described = [document.entry for document in lot.documents]
        problems += policy.of_form(check_set_ids(lot.submission_set, lot.set_path))
        problems += check_lot_patient(described, lot.submission_set.patient_id, lot.set_path)
        problems += check_folders(lot.folders, lot.submission_set.patient_id)
    wanted = [Wanted(one.kind, one.source, str(one.target), one.path) for one in lot.relations]
    resolved = await resolve(kernel, space, deposits, wanted)
    problems += resolved.problems
    if has_errors(problems):
        raise LotRefused(problems)
    assert lot.submission_set is not None
    submission = NewSet(
        uuid7(), _set_metadata(lot, lot.submission_set), caller.identifier, space.now()
    )
    entries = new_entries(
        kernel, space, submission, deposits, resolved.chains, compare_traits=policy.compares_traits
    )
    related = with_folders(resolved.related, lot.folders, lot.filings, space.now())
    await registrar.register(entries, caller.token, related)
    return problems


def _check(document: SubmittedDocument, lot: Lot, policy: Policy) -> _Checked:
    problems = check_document(document)
    if not document.content:
        return _Checked(problems=problems)
    is_kos = is_imaging_object(document.entry)
    if is_kos:
        metadata, found = describe_imaging_object(document.entry, document.content, document.path)
    else:
        metadata, found = describe(document.content, policy, lambda: document.entry)
    problems += located(found, document.path, among_others=len(lot.documents) > 1)
    if metadata is None or metadata.patient is None:
        return _Checked(problems=problems)
    problems += (
        []
        if is_kos
        else policy.of_profile(
            check_agreement(document, metadata, metadata.patient, despite_key=policy.is_lenient)
        )
    )
    if has_errors(problems):
        return _Checked(problems=problems)
    entry: DocumentEntry = document.entry
    deposit = Deposit(
        document.id,
        f"{document.path}/uniqueId",
        document.content,
        metadata,
        metadata.patient,
        entry,
        reference_of(entry, metadata.patient, _related(document, lot)),
    )
    return _Checked(deposit, problems)


def _related(document: SubmittedDocument, lot: Lot) -> list[tuple[str, str]]:
    return [(one.kind, str(one.target)) for one in lot.relations if one.source == document.id]


def _check_signature(lot: Lot, settings: DmpSettings, told: list[Problem]) -> list[Problem]:
    """Its bytes always; its presence and what it covers by SOCLE_DMP_LOT_SIGNATURE."""
    problems = check_bytes(lot.signature) if lot.signature is not None else []
    if settings.dmp_lot_signature == "off" or has_errors(problems):
        return problems
    severity: Severity = "error" if settings.dmp_lot_signature == "enforce" else "warning"
    if lot.signature is not None:
        authorities = read_authorities((settings.home / "ca" / "root.pem", settings.dmp_vihf_ca))
        found = check_signature(lot, authorities, wall())
        if severity == "error":
            return [*problems, *found]
        # Beside the answer, which a client of the DMP expects without them.
        told += [replace(one, severity=severity) for one in found]
        return problems
    return [
        Problem(
            "XDSMissingDocument" if severity == "error" else "DMP-LOT-SIGNATURE",
            lot.set_path or "RegistryPackage",
            "the lot has no signature",
            "an ExtrinsicObject of type E1762 and format http://www.w3.org/2000/09/xmldsig#",
            severity,
            SOURCE,
        )
    ]


def _set_metadata(lot: Lot, submission_set: SubmissionSet) -> dict[str, Any]:
    """The signature is kept with its set: it is no document of the patient's."""
    metadata: dict[str, Any] = {"xds": submission_set.as_json()}
    if lot.signature is not None:
        metadata["signature"] = {
            "xds": lot.signature.entry.as_json(),
            "content": lot.signature.content.decode("utf-8", "replace").replace("\0", ""),
        }
    return metadata
