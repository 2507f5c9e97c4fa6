"""The answer of a search, RESULTAT (spec: ins.md §4.6)."""

from lxml import etree

from services.ins.domain.matching import Result
from services.ins.domain.person import Person, RegisteredIns
from services.ins.insi.names import RESULT, SOAP, WSA


def answer_bytes(result: Result, *, action: str, message_id: str, prefix: str) -> bytes:
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={prefix: SOAP})
    header = etree.SubElement(envelope, f"{{{SOAP}}}Header")
    etree.SubElement(header, f"{{{WSA}}}Action", nsmap={"wsa": WSA}).text = f"{action}Response"
    if message_id:
        etree.SubElement(header, f"{{{WSA}}}RelatesTo", nsmap={"wsa": WSA}).text = message_id
    body = etree.SubElement(envelope, f"{{{SOAP}}}Body")
    root = etree.SubElement(body, f"{{{RESULT}}}RESULTAT", nsmap={None: RESULT})  # type: ignore[dict-item]
    outcome = _child(root, "CR")
    _child(outcome, "CodeCR", result.code.code)
    _child(outcome, "LibelleCR", result.code.label)
    if result.person is not None:
        _add_person(_child(root, "INDIVIDU"), result.person)
    return etree.tostring(envelope, encoding="UTF-8", xml_declaration=True)


def _add_person(parent: etree._Element, person: Person) -> None:
    _add_ins(_child(parent, "INSACTIF"), person.active)
    for former in person.history:
        _add_ins(_child(parent, "INSHISTO"), former)
    traits = person.traits
    identity = _child(parent, "TIQ")
    _child(identity, "NomNaissance", traits.family_name)
    _child(identity, "ListePrenom", traits.given_names)
    _child(identity, "Sexe", traits.sex)
    _child(identity, "DateNaissance", traits.birth_date)
    if traits.birth_place:
        _child(identity, "LieuNaissance", traits.birth_place)


def _add_ins(parent: etree._Element, ins: RegisteredIns) -> None:
    number = _child(parent, "IdIndividu")
    _child(number, "NumIdentifiant", ins.matricule)
    _child(number, "Cle", ins.key)
    _child(parent, "OID", ins.oid)
    for name, value in (("DateDeb", ins.valid_from), ("DateFin", ins.valid_to)):
        if value:
            _child(parent, name, value)


def _child(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    child = etree.SubElement(parent, f"{{{RESULT}}}{name}")
    child.text = text
    return child
