"""Rules about the patient: the INS never goes without its traits."""

from collections.abc import Iterator
from typing import Final

from socle.cda.model import CdaHeader, Patient, PersonName
from socle.cda.rules.report import finding, missing, read_stamp
from socle.ids.ins import INS_OIDS, Ins
from socle.problems import Problem, Severity

_ROLE: Final = "recordTarget/patientRole"
_PATIENT: Final = f"{_ROLE}/patient"
# Seen beside the test NIR in two published samples; its meaning is not established.
_UNEXPLAINED_OID: Final = "1.2.250.1.213.1.4.13"
_INS_BRANCH: Final = "1.2.250.1.213.1.4."
_INS_C: Final = frozenset({"1.2.250.1.213.1.4.2", "1.2.250.1.213.1.4.6", "1.2.250.1.213.1.4.7"})


def check_patient(header: CdaHeader) -> list[Problem]:
    if header.patient is None:
        return [missing("recordTarget", _ROLE, "le patient, avec son INS et ses traits")]
    return [*_ids(header.patient), *_traits(header.patient)]


def _ids(patient: Patient) -> Iterator[Problem]:
    path = f"{_ROLE}/id"
    carrying = [it for it in patient.ids if it.root in INS_OIDS]
    for index, it in enumerate(patient.ids, start=1):
        if it.root.startswith(_INS_BRANCH) and it.root not in INS_OIDS | _INS_C:
            severity: Severity = "warning" if it.root == _UNEXPLAINED_OID else "error"
            yield finding(
                "recordTarget-id-oid",
                f"{path}[{index}]/@root",
                f"« {it.root} » n'est pas l'OID d'un INS",
                f"un de {', '.join(sorted(INS_OIDS))}",
                severity,
            )
    if not carrying:
        expected = '<id root="1.2.250.1.213.1.4.8" extension="matricule et clé, 15 caractères"/>'
        yield finding("recordTarget-id", path, "le patient n'a pas d'INS", expected)
    for it in carrying:
        _, faults = Ins.check(it.root, it.extension)
        for fault in faults:
            yield finding(
                "recordTarget-id-ins", f"{path}/@extension", fault, "matricule (13) et clé (2)"
            )
        if not faults and len(it.extension) != 15:
            yield finding(
                "recordTarget-id-key",
                f"{path}/@extension",
                "le matricule n'a pas sa clé",
                "15 caractères",
                "warning",
            )


def _traits(patient: Patient) -> Iterator[Problem]:
    """Mandatory as soon as an INS is carried, all together."""
    if not any(it.root in INS_OIDS for it in patient.ids):
        return
    yield from _name(patient.name or PersonName())
    gender = f"{_PATIENT}/administrativeGenderCode"
    if patient.gender is None or not patient.gender.code:
        yield missing("patient-gender", gender, "M ou F")
    elif patient.gender.code not in ("M", "F"):
        message = f"le sexe vaut « {patient.gender.code} » alors que l'INS est porté"
        yield finding("patient-gender", f"{gender}/@code", message, "M ou F, rendu par INSi")
    yield from _birth(patient)


def _name(name: PersonName) -> Iterator[Problem]:
    path = f"{_PATIENT}/name"
    if not name.birth_family:
        expected = '<family qualifier="BR">'
        yield finding(
            "patient-birth-family", f"{path}/family", "le nom de naissance est absent", expected
        )
    if not name.birth_given:
        # Six published samples (certificates of children, maternity) break this rule and are refused:
        # the schematron of the ANS makes every trait mandatory beside an INS.
        expected = '<given qualifier="BR">, le premier prénom de naissance'
        yield finding(
            "patient-birth-given",
            f"{path}/given",
            "le premier prénom de naissance est absent",
            expected,
        )
    if not name.all_givens:
        expected = "<given> sans qualifier, tous les prénoms de naissance"
        yield finding(
            "patient-givens", f"{path}/given", "la liste des prénoms est absente", expected
        )


def _birth(patient: Patient) -> Iterator[Problem]:
    path = f"{_PATIENT}/birthTime/@value"
    if not patient.birth_time:
        yield missing("patient-birthTime", path, "AAAAMMJJ")
    else:
        stamp, problems = read_stamp("patient-birthTime", path, patient.birth_time)
        yield from problems
        if stamp and stamp.precision in ("year", "month"):
            yield finding(
                "patient-birthTime", path, "la date de naissance est incomplète", "AAAAMMJJ"
            )
    county = f"{_PATIENT}/birthplace/place/addr/county"
    if not patient.birth_county:
        yield missing("patient-birthplace", county, "le code INSEE (COG) du lieu de naissance")
    elif len(patient.birth_county) != 5 or not patient.birth_county.isalnum():
        message = f"« {patient.birth_county[:20]} » n'est pas un code officiel géographique"
        yield finding("patient-birthplace", county, message, "5 caractères, par exemple 63220")
