"""HL7v2 data types as XDS metadata carry them: XCN, XON, CX and PID fields (spec: DMP §1.4)."""

from typing import Final

from socle.cda.model import Entity, Id, Patient, PersonName
from socle.ids import oids
from socle.ids.ins import INS_OIDS

# Not local identifiers: the INS, and the obsolete calculated INS.
_NOT_LOCAL: Final = INS_OIDS | {"1.2.250.1.213.1.4.2"}


def source_patient_id(patient: Patient | None) -> str:
    local = next(
        (it for it in (patient.ids if patient else ()) if it.root and it.root not in _NOT_LOCAL),
        None,
    )
    return f"{_escaped(local.extension)}^^^&{local.root}&ISO^PI" if local else ""


def source_patient_info(patient: Patient | None) -> tuple[str, ...]:
    if patient is None:
        return ()
    name = patient.name or PersonName()
    family, given = _escaped(name.family), _escaped(name.given)
    lines = [f"PID-5|{family}^{given}^^^^^L"]
    if patient.birth_time:
        lines.append(f"PID-7|{patient.birth_time[:8]}")
    if patient.gender and patient.gender.code:
        lines.append(f"PID-8|{patient.gender.code}")
    return tuple(lines)


def extension(ids: tuple[Id, ...], root: str = oids.IDNAT_STRUCTURE) -> str:
    return next((it.extension for it in ids if it.root == root), "")


def xcn(entity: Entity) -> str:
    """`id^NOM^Prénom^^^^^^&oid&ISO^D^^^IDNPS`; a device has its software's name only."""
    name = entity.name or PersonName()
    family, given = _escaped(name.family or entity.device), _escaped(name.given)
    number = _escaped(extension(entity.ids, oids.IDNAT_PS))
    if not (number or family):
        return ""
    return f"{number}^{family}^{given}^^^^^^&{oids.IDNAT_PS}&ISO^D^^^IDNPS"


def xon(name: str, structure_id: str) -> str:
    if not (name or structure_id):
        return ""
    return f"{_escaped(name)}^^^^^&{oids.IDNAT_STRUCTURE}&ISO^IDNST^^^{_escaped(structure_id)}"


def _escaped(text: str) -> str:
    """HL7v2 separators inside a value would shift every component after them."""
    for mark, escape in (
        ("\\", "\\E\\"),
        ("^", "\\S\\"),
        ("&", "\\T\\"),
        ("|", "\\F\\"),
        ("~", "\\R\\"),
    ):
        text = text.replace(mark, escape)
    return text
