"""Reads an INS of a JSON body, with every fault named."""

from services.ins.domain.official import official_keys
from services.ins.domain.person import RegisteredIns
from socle.ids.ins import Ins
from socle.problems import Problem

SOURCE = "INS, clé = 97 − (matricule mod 97) ; spec: ins.md §1.3"


def read_ins(
    oid: str, value: str, *, allow_wrong_key: bool = False
) -> tuple[RegisteredIns | None, list[Problem]]:
    """`value` has 13 or 15 characters. A key printed by an official source passes though wrong."""
    oid, value = oid.removeprefix("urn:oid:"), value.upper()
    ins, faults = Ins.check(oid, value)
    if ins is None and len(value) == 15:
        tolerated = allow_wrong_key or official_keys().get((oid, value[:13])) == value[13:]
        if tolerated and value[13:].isdecimal():
            ins, faults = Ins.check(oid, value[:13])
    if ins is None:
        return None, [
            Problem("INS-MATRICULE", "/matricule", fault, "13 ou 15 caractères", source=SOURCE)
            for fault in faults
        ]
    return RegisteredIns(ins.oid, ins.matricule, value[13:] or ins.key), []
