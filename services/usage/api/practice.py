"""E-prescriptions, FSE with ApCV, SAS and coordinated practice, declared by the software that makes them.

The services behind them are not simulated yet; these forms are the sandbox's own (spec: mes.md §B to §E).
"""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field

from services.usage import service
from services.usage.api.declaring import Declaring
from services.usage.api.inputs import (
    Day,
    Finess,
    Instant,
    PatientIn,
    Professional,
    Strict,
    Text,
    pseudonym_of,
    refuse_if_any,
)
from services.usage.counting import attestations
from services.usage.domain.acts import forbidden_data, names_a_person
from services.usage.events import (
    ACTIVITY_CANCELLED,
    ACTIVITY_DECLARED,
    PRACTICE_ATTESTED,
    activity_event,
)
from services.usage.redeclared import contradiction, contradictions
from socle.auth.dependencies import CallerSpace, kernel_of
from socle.db.database import WriteSession as Writing
from socle.db.sessions import ReadSession, WriteSession
from socle.problems import Problem
from socle.spaces import Space

router = APIRouter(prefix="/usage/activity", tags=["practice"])


class PrescriptionIn(Strict):
    """One prescription of health products; with a `numero` it went through the e-prescription."""

    prescription_id: Text
    rpps: Professional
    finess: Finess | None = None
    prescrite_le: Instant
    numero: Annotated[str | None, Field(pattern=r"^[0-9A-Za-z-]{1,64}$")] = None
    opposition_dematerialisation: bool = False
    patient: PatientIn | None = None
    annulee_le: Instant | None = None


@router.post("/prescriptions", status_code=201)
async def declare_prescription(
    request: Request,
    body: PrescriptionIn,
    space: CallerSpace,
    session: WriteSession,
    declaring: Declaring,
) -> dict[str, Any]:
    """Again with `annulee_le` once it is cancelled: it then leaves both sides of the rate."""
    problems: list[Problem] = []
    if body.opposition_dematerialisation and body.numero is not None:
        problems.append(
            Problem(
                "ERX-OPPOSITION", "/body/numero", "the patient has opposed the e-prescription",
                "no number", source="mes.md §B",
            )
        )  # fmt: skip
    problems += _numbers_of_people(prescription_id=body.prescription_id, numero=body.numero or "")
    if body.annulee_le is not None and body.annulee_le < body.prescrite_le:
        problems.append(
            Problem("ERX-DATES", "/body/annulee_le", "before the prescription", "later than it")
        )
    patient = pseudonym_of(kernel_of(request), space.name, body.patient, "/body", problems)
    refuse_if_any(problems)
    act = {
        "kind": "prescription.issued",
        "structure": body.finess,
        "professional": body.rpps,
        "act_id": body.prescription_id,
    }
    flags = ["eprescription"] if body.numero is not None else []
    await _tell_act(
        session, declaring, space, act, body.prescrite_le, body.annulee_le, flags=flags,
        patient=patient,
    )  # fmt: skip
    return {"prescription_id": body.prescription_id, "eprescription": body.numero is not None}


class ApcvIn(Strict):
    """A reading of the application: its validity, and a hash in place of its identifier."""

    contexte_id_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    mode: Literal["QR", "NFC"]
    valide_du: Instant
    valide_au: Instant


class AdriIn(Strict):
    appele: bool
    horodatage: Instant | None = None


class FseIn(Strict):
    fse_id: Text
    rpps: Professional
    finess: Finess | None = None
    act_at: Instant
    support: Literal["CARTE_VITALE", "APCV", "SANS_VITALE", "PAPIER"]
    """`SANS_VITALE` is sent all the same, in degraded mode; `PAPIER` is the sheet that was not."""
    apcv: ApcvIn | None = None
    adri: AdriIn | None = None
    demo: bool = False
    statut: Literal["EMISE", "REJETEE", "ANNULEE"] = "EMISE"

    def problems(self) -> list[Problem]:
        found = _numbers_of_people(fse_id=self.fse_id)
        source = "mes.md §C"
        if self.demo:
            found.append(
                Problem("FSE-DEMO", "/body/demo", "a demonstration counts nowhere", "false",
                        source=source)
            )  # fmt: skip
        if (self.support == "APCV") != (self.apcv is not None):
            found.append(
                Problem("FSE-APCV", "/body/apcv", "support and context do not go together",
                        "a context with support APCV, and with no other", source=source)
            )  # fmt: skip
        if self.apcv is not None and not self.apcv.valide_du <= self.act_at <= self.apcv.valide_au:
            found.append(
                Problem("FSE-CONTEXT", "/body/act_at", "outside the validity of the context",
                        "a context that is renewed before the FSE is finished", source=source)
            )  # fmt: skip
        return found


FLAGS = {"APCV": ["apcv"], "SANS_VITALE": ["degraded"], "PAPIER": ["paper"]}


@router.post("/fse", status_code=201)
async def declare_fse(
    body: FseIn, space: CallerSpace, session: WriteSession, declaring: Declaring
) -> dict[str, Any]:
    """One that is rejected or cancelled, now or later, is in neither side of the rate (usage.md §14)."""
    refuse_if_any(body.problems())
    act = {
        "kind": "fse.sent",
        "structure": body.finess,
        "professional": body.rpps,
        "act_id": body.fse_id,
    }
    flags = FLAGS.get(body.support, [])
    void = body.act_at if body.statut != "EMISE" else None
    await _tell_act(session, declaring, space, act, body.act_at, void, flags=flags)
    return {"fse_id": body.fse_id, "apcv": body.support == "APCV", "statut": body.statut}


async def _tell_act(
    session: Writing,
    declaring: Declaring,
    space: Space,
    act: dict[str, Any],
    at: Instant,
    cancelled_at: Instant | None,
    *,
    flags: list[str],
    patient: str | None = None,
) -> None:
    data = {**act, "domain": None, "patient": patient, "act_at": at.isoformat(), "flags": flags,
            "documents": [], "messages": []}  # fmt: skip
    [differs] = await contradictions(session, space.name, [data])
    refuse_if_any([contradiction("/body", differs)] if differs else [])
    events = [activity_event(ACTIVITY_DECLARED, space.name, data, space.now())]
    if cancelled_at is not None:
        cancelled = {**act, "cancelled_at": cancelled_at.isoformat()}
        events.append(activity_event(ACTIVITY_CANCELLED, space.name, cancelled, space.now()))
    await declaring.tell(session, events)


class SasIn(Strict):
    """`via`: own practice, CPTS, MSP or SOS Médecins, the four of the national platform; `au` is the last
    day."""

    rpps: Professional
    via: Literal["CABINET", "CPTS", "MSP", "SOS_MEDECINS"]
    cpts_finess: Finess | None = None
    du: Day
    au: Day | None = None
    justificatif_ref: Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f]*$")] = ""


@router.post("/sas", status_code=201)
async def declare_sas(body: SasIn, space: CallerSpace, session: WriteSession) -> dict[str, Any]:
    """Takes part in the SAS from a day on; again with `au` when that ends."""
    problems = _days(body.du, body.au) + _numbers_of_people(justificatif_ref=body.justificatif_ref)
    if (body.via == "CPTS") != (body.cpts_finess is not None):
        problems.append(
            Problem("SAS-CPTS", "/body/cpts_finess", "goes with via CPTS alone",
                    "the FINESS of the CPTS", source="mes.md §D")
        )  # fmt: skip
    refuse_if_any(problems)
    await _attest(
        session, space, "sas", body.rpps, body.via, body.cpts_finess, body.du, body.au,
        body.justificatif_ref,
    )  # fmt: skip
    return {"rpps": body.rpps, "via": body.via}


class CoordinatedIn(Strict):
    """`date_fin` is the last day: who leaves on 31 December was there on it."""

    rpps: Professional
    forme: Literal["MSP", "CPTS", "ESP", "ESS", "CDS", "AUTRE"]
    finess: Finess | None = None
    date_adhesion: Day
    date_fin: Day | None = None
    justificatif_ref: Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f]*$")] = ""


@router.post("/coordinated-practice", status_code=201)
async def declare_coordinated_practice(
    body: CoordinatedIn, space: CallerSpace, session: WriteSession
) -> dict[str, Any]:
    """Indicator 6 of volet 1: a declaration with its evidence, not an interface (spec: mes.md §E)."""
    problems = _numbers_of_people(justificatif_ref=body.justificatif_ref)
    refuse_if_any(_days(body.date_adhesion, body.date_fin) + problems)
    await _attest(
        session, space, "coordinated", body.rpps, body.forme, body.finess, body.date_adhesion,
        body.date_fin, body.justificatif_ref,
    )  # fmt: skip
    return {"rpps": body.rpps, "forme": body.forme}


@router.get("/attestations")
async def read_attestations(
    space: CallerSpace,
    session: ReadSession,
    rpps: Annotated[str, Query(pattern=r"^[0-9A-Z]{9,12}$")],
    on: date | None = None,
) -> list[dict[str, Any]]:
    """SAS and coordinated practice of a professional: all, or what is in force on a day."""
    found = await attestations(session, space.name, rpps, on)
    return [
        {
            "kind": it.kind,
            "form": it.form,
            "structure": it.structure or None,
            "from": it.since,
            "to": it.until,
            "evidence": it.evidence,
        }
        for it in found
    ]


async def _attest(
    session: Writing,
    space: Space,
    kind: str,
    professional: str,
    form: str,
    structure: str | None,
    since: date,
    until: date | None,
    evidence: str,
) -> None:
    data = {
        "kind": kind,
        "professional": professional,
        "form": form,
        "structure": structure,
        "since": since.isoformat(),
        "until": until and until.isoformat(),
        "evidence": evidence,
    }
    await service.tell(session, [activity_event(PRACTICE_ATTESTED, space.name, data, space.now())])


def _days(since: date, until: date | None) -> list[Problem]:
    if until is None or until >= since:
        return []
    return [Problem("ATTESTATION-DAYS", "/body", "ends before it begins", "a later end")]


def _numbers_of_people(**values: str) -> list[Problem]:
    return [
        forbidden_data(f"/body/{name}") for name, value in values.items() if names_a_person(value)
    ]
