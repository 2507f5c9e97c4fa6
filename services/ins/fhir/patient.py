"""A `Patient` of FR Core (spec: ins.md §6.1).

Two versions of the guide are in use. Up to 2.1 the status is a code of HL7 table 0445, in which
VALI stands for « qualifiée » and attributes are further codes; 2.2 has the four statuses of RNIV and
a `comment` for the attributes. SOCLE_INS_FR_CORE chooses.
"""

from typing import Any, Final, Literal

from services.ins.domain.identity import Identity
from services.ins.domain.representations import (
    calendar_birth_date,
    first_given_name,
    identity_codes,
    local_id,
    transmissible_ins,
)
from socle.fhir.bundle import instant
from socle.ids.ins import FHIR_TYPE_SYSTEM, INS_FHIR_TYPES

Version = Literal["2.1", "2.2"]
LOCAL_SYSTEM: Final = "urn:socle:ins:local"
_CORE: Final = "https://hl7.fr/ig/fhir/core"
_PLACES: Final = "https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM"
_BIRTH_PLACE: Final = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
_GENDERS: Final = {"M": "male", "F": "female"}

# Codes of evidence in each version; one that a version does not know is left out there.
_EVIDENCE_2_1: Final = {
    code: code
    for code in ("AN", "CC", "CE", "CM", "CN", "CS", "LE", "PA", "PC", "TC", "DC", "AC", "IE")
}
_EVIDENCE_2_2: Final = {
    "AN": "AN", "CC": "CC", "CN": "CN", "CS": "CS", "PA": "PA", "AV": "AV", "AC": "ANCV",
}  # fmt: skip


def patient(identity: Identity, version: Version) -> dict[str, Any]:
    ins = transmissible_ins(identity)
    has_ins_profile = ins is not None and bool(identity.traits.birth_place)
    profile = "fr-core-patient-ins" if has_ins_profile else "fr-core-patient"
    resource: dict[str, Any] = {
        "resourceType": "Patient",
        "id": str(identity.id),
        "meta": {
            "lastUpdated": instant(identity.updated_at),
            "profile": [f"{_CORE}/StructureDefinition/{profile}"],
        },
        "extension": _extensions(identity, version),
        "identifier": _identifiers(identity),
        "active": identity.merged_into is None,
        "name": _names(identity),
        "gender": _GENDERS.get(identity.traits.sex, "unknown"),
        "birthDate": calendar_birth_date(identity),
    }
    if ins is not None:
        resource["telecom"] = [{"system": "email", "value": ins.citizen_address, "use": "home"}]
    if identity.merged_into is not None:
        other = {"reference": f"Patient/{identity.merged_into}"}
        resource["link"] = [{"other": other, "type": "replaced-by"}]
    return resource


def _identifiers(identity: Identity) -> list[dict[str, Any]]:
    local = {
        "use": "usual",
        "type": {"coding": [_coding("http://terminology.hl7.org/CodeSystem/v2-0203", "PI")]},
        "system": LOCAL_SYSTEM,
        "value": local_id(identity),
    }
    ins = transmissible_ins(identity)
    if ins is None:
        return [local]
    former = [
        {
            "use": "old",
            "type": {"coding": [_coding(FHIR_TYPE_SYSTEM, INS_FHIR_TYPES[one.oid])]},
            "system": f"urn:oid:{one.oid}",
            "value": one.matricule + one.key,
        }
        for one in identity.former
        if (one.oid, one.matricule) != (ins.oid, ins.matricule)
    ]
    return [dict(ins.fhir_identifier), *former, local]


def _names(identity: Identity) -> list[dict[str, Any]]:
    names = identity.names
    official = {
        "extension": [
            {
                "url": f"{_CORE}/StructureDefinition/fr-core-patient-birth-list-given-name",
                "valueString": identity.traits.given_names,
            }
        ],
        "use": "official",
        "family": identity.traits.family_name,
        "given": [first_given_name(identity)],
    }
    used: dict[str, Any] = {"use": "usual"}
    if names.used_family_name:
        used["family"] = names.used_family_name
    if names.used_given_name:
        used["given"] = [names.used_given_name]
    return [official, used] if len(used) > 1 else [official]


def _extensions(identity: Identity, version: Version) -> list[dict[str, Any]]:
    found = _reliability_2_2(identity) if version == "2.2" else _reliability_2_1(identity)
    if identity.state.birth_date_corrected:
        url = f"{_CORE}/StructureDefinition/fr-core-patient-birthdate-update-indicator"
        found.append({"url": url, "valueBoolean": True})
    if identity.traits.birth_place:
        insee = {
            "url": f"{_CORE}/StructureDefinition/fr-core-address-insee-code",
            "valueCoding": _coding(_PLACES, identity.traits.birth_place),
        }
        found.append({"url": _BIRTH_PLACE, "valueAddress": {"extension": [insee]}})
    return found


def _reliability_2_1(identity: Identity) -> list[dict[str, Any]]:
    """One extension a code; the proof stands with the first."""
    system = f"{_CORE}/CodeSystem/fr-core-cs-v2-0445"
    codes = [
        [{"url": "identityStatus", "valueCoding": _coding(system, code)}]
        for code in identity_codes(identity)
    ]
    codes[0] += _proof(identity, _EVIDENCE_2_1)
    return [_reliability(parts) for parts in codes]


def _reliability_2_2(identity: Identity) -> list[dict[str, Any]]:
    status = _coding(f"{_CORE}/CodeSystem/fr-core-cs-identity-status", identity.state.status.code)
    comments = f"{_CORE}/CodeSystem/fr-core-cs-identity-status-comment"
    return [
        _reliability(
            [
                {"url": "identityStatus", "valueCoding": status},
                *(
                    {"url": "comment", "valueCoding": _coding(comments, code)}
                    for code in identity_codes(identity)[1:]
                ),
                *_proof(identity, _EVIDENCE_2_2),
            ]
        )
    ]


def _proof(identity: Identity, evidence: dict[str, str]) -> list[dict[str, Any]]:
    made = identity.provenance
    method = _coding(f"{_CORE}/CodeSystem/fr-core-cs-method-collection", made.collected_by)
    parts: list[dict[str, Any]] = [{"url": "methodCollection", "valueCoding": method}]
    if made.insi_at is not None:
        parts.append({"url": "dateCollection", "valueDate": made.insi_at.date().isoformat()})
    if identity.state.checked and made.evidence_at is not None:
        day = made.evidence_at.date().isoformat()
        parts.append({"url": "validationDate", "valueDate": day})
        if made.evidence in evidence:
            modes = f"{_CORE}/CodeSystem/fr-core-cs-mode-validation-identity"
            mode = _coding(modes, evidence[made.evidence])
            parts.append({"url": "validationMode", "valueCoding": mode})
    return parts


def _reliability(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "url": f"{_CORE}/StructureDefinition/fr-core-identity-reliability",
        "extension": parts,
    }


def _coding(system: str, code: str) -> dict[str, str]:
    return {"system": system, "code": code}
