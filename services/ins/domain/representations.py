"""An identity in the forms that others read: HL7v2 PID and ZFD, CDA, XDS (spec: ins.md §3.6, §6).

Only a qualified identity takes its INS along (EXI SI 08, EXI ID 29).
"""

from datetime import date
from typing import Final

from lxml import etree

from services.ins.domain.identity import Identity
from socle.ids.identity_status import Status
from socle.ids.ins import Ins

CDA: Final = "urn:hl7-org:v3"
_SEX_SYSTEM: Final = "2.16.840.1.113883.5.1"
_ABROAD: Final = "99"
_ESCAPES: Final = {
    "\\": "\\E\\",
    "|": "\\F\\",
    "^": "\\S\\",
    "&": "\\T\\",
    "~": "\\R\\",
}


def transmissible_ins(identity: Identity) -> Ins | None:
    """The INS in the forms of `Ins`, which compute the key; None where it must not be sent."""
    if not identity.state.may_carry_ins or identity.ins is None:
        return None
    return Ins(identity.ins.oid, identity.ins.matricule)


def local_id(identity: Identity) -> str:
    """The caller's own reference (IPP), or the record's where there is none."""
    return identity.external_id or str(identity.id)


def first_given_name(identity: Identity) -> str:
    """As the caller noted it, or else the first of the list: nobody can tell a compound one."""
    return identity.names.first_given_name or identity.traits.given_names.split(" ")[0]


def calendar_birth_date(identity: Identity) -> str:
    """YYYY-MM-DD; the year alone where the date is lunar and no calendar has it."""
    try:
        return date.fromisoformat(identity.traits.birth_date).isoformat()
    except ValueError:
        return identity.traits.birth_date[:4]


def identity_codes(identity: Identity) -> list[str]:
    """PID-32, table 0445: RECUP, QUAL and the French attributes have no code of their own there.

    A receiver takes the INS only with VALI, so a retrieved identity is sent as PROV.
    """
    status = identity.state.status
    codes = ["VALI" if status in (Status.VALIDATED, Status.QUALIFIED) else "PROV"]
    state = identity.state
    held = (("HOMA", state.homonym), ("DOUT", state.doubtful), ("FICT", state.fictive))
    codes += [code for code, is_held in held if is_held]
    if identity.merged_into is not None:
        codes += ["DOUA", "DESA"]
    return codes


def pid_segment(identity: Identity, authority: str) -> str:
    """PAM France 2.11.2. `authority` names whoever gives the local numbers (CX-4)."""
    traits, names, ins = identity.traits, identity.names, transmissible_ins(identity)
    numbers = [f"{_escaped(local_id(identity))}^^^{_escaped(authority)}^PI"]
    if ins is not None:
        numbers.append(ins.cx_pam)
    spellings = [
        f"{traits.family_name}^{first_given_name(identity)}^{traits.given_names}^^^^L",
    ]
    if names.used_family_name or names.used_given_name:
        spellings.append(f"{names.used_family_name}^{names.used_given_name}^^^^^D")
    fields = {
        1: "1",
        3: "~".join(numbers),
        5: "~".join(spellings),
        7: calendar_birth_date(identity).replace("-", ""),
        8: traits.sex,
        11: _birth_place(traits.birth_place),
        32: "~".join(identity_codes(identity)),
    }
    return _segment("PID", fields)


def zfd_segment(identity: Identity) -> str:
    """The French segment of how sure an identity is (PAM France 2.11.2 §6.18)."""
    made = identity.provenance
    fields = {
        1: _lunar(identity.traits.birth_date),
        4: "Y" if identity.state.birth_date_corrected else "N",
        5: made.collected_by,
        6: made.insi_at.strftime("%Y%m%d") if made.insi_at else "",
        7: made.evidence,
        8: made.evidence_expires.replace("-", ""),
    }
    return _segment("ZFD", fields)


def _birth_place(place: str) -> str:
    """XAD-7 BDL and XAD-9 the COG, which is the country's for a birth abroad."""
    if not place:
        return ""
    country = "" if place.startswith(_ABROAD) else "FRA"
    return f"^^^^^{country}^BDL^^{place}"


def _lunar(birth_date: str) -> str:
    """ZFD-1, day^month^year, only for a date that no calendar has."""
    try:
        date.fromisoformat(birth_date)
    except ValueError:
        year, month, day = birth_date.split("-")
        return f"{day}^{month}^{year}"
    return ""


def _segment(name: str, fields: dict[int, str]) -> str:
    present = [number for number, value in fields.items() if value]
    values = [fields.get(number, "") for number in range(1, max(present) + 1)]
    return "|".join([name, *values])


def _escaped(value: str) -> str:
    """HL7 v2.5 §2.7: a separator inside a value would begin another one."""
    return "".join(_ESCAPES.get(char, char) for char in value)


def record_target(identity: Identity, local_root: str) -> bytes:
    """`recordTarget` of a CDA document. `local_root` is the OID of whoever gives local numbers."""
    traits, names, ins = identity.traits, identity.names, transmissible_ins(identity)
    target = etree.Element(f"{{{CDA}}}recordTarget", nsmap={None: CDA})  # type: ignore[dict-item]
    role = _child(target, "patientRole")
    if ins is not None:
        root, extension = ins.cda_id
        _child(role, "id", root=root, extension=extension)
    _child(role, "id", root=local_root, extension=local_id(identity))
    if ins is not None:
        _child(role, "telecom", value=f"mailto:{ins.citizen_address}")
    patient = _child(role, "patient")
    name = _child(patient, "name")
    _child(name, "family", qualifier="BR").text = traits.family_name
    if names.used_family_name:
        _child(name, "family", qualifier="CL").text = names.used_family_name
    _child(name, "given").text = traits.given_names
    _child(name, "given", qualifier="BR").text = first_given_name(identity)
    if names.used_given_name:
        _child(name, "given", qualifier="CL").text = names.used_given_name
    _child(patient, "administrativeGenderCode", code=traits.sex, codeSystem=_SEX_SYSTEM)
    born = calendar_birth_date(identity).replace("-", "")
    _child(patient, "birthTime", value=born)
    if traits.birth_place:
        address = _child(_child(_child(patient, "birthplace"), "place"), "addr")
        _child(address, "county").text = traits.birth_place
    return etree.tostring(target, encoding="UTF-8")


def _child(parent: etree._Element, name: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{CDA}}}{name}", attributes)
