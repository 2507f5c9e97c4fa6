"""INS: found by traits at INSi, then taken to the status that may feed the DMP."""

from dataclasses import dataclass, field
from datetime import date
from xml.sax.saxutils import escape

import httpx
from lxml import etree

from socle.clock import wall
from socle.demo.errors import DemoError, expect
from socle.demo.login import Session
from socle.idgen import random_uuid
from socle.ids.ins import NIR, Ins

ACTION = "urn:ServiceIdentiteCertifiee:1.0.0:rechercherInsAvecTraitsIdentite"
QUALIFIED = "qualifiee"
RESULT = "http://www.cnamts.fr/INSiResultat"


ZOE_ADRUN = Ins(NIR, "2751263220749")


@dataclass(frozen=True)
class Patient:
    """By default ZOE ADRUN, an official test person of the INSi qualification platform."""

    ins: Ins = ZOE_ADRUN
    family_name: str = field(default="ADRUN", repr=False)
    given_names: str = field(default="ZOE", repr=False)
    sex: str = "F"
    birth_date: date = date(1975, 12, 31)
    birth_place: str = "63220"

    def traits(self) -> dict[str, str]:
        return {
            "family_name": self.family_name,
            "given_names": self.given_names,
            "sex": self.sex,
            "birth_date": self.birth_date.isoformat(),
            "birth_place": self.birth_place,
        }


def find_at_insi(http: httpx.Client, prefix: str, session: Session, patient: Patient) -> Ins:
    """INSi, SOAP 1.2, search by traits (WSDL 1.5.0)."""
    response = http.post(
        f"{prefix}/lps",
        content=_search_envelope(patient).encode(),
        headers={
            **session.headers,
            "Content-Type": f'application/soap+xml; charset=utf-8; action="{ACTION}"',
        },
    )
    root = etree.fromstring(expect(response, 200).content)
    number = root.findtext(f".//{{{RESULT}}}NumIdentifiant")
    key = root.findtext(f".//{{{RESULT}}}Cle")
    oid = root.findtext(f".//{{{RESULT}}}OID")
    if not (number and key and oid):
        code = root.findtext(f".//{{{RESULT}}}CodeCR")
        raise DemoError(f"INSi found no single identity (code {code}).")
    ins, faults = Ins.check(oid, number + key)
    if ins is None:
        raise DemoError(f"INSi answered an INS that is none: {'; '.join(faults)}")
    return ins


def qualify(http: httpx.Client, prefix: str, session: Session, patient: Patient) -> str:
    """Record, query, proof of identity: the way from provisional to qualified (RNIV).

    The record is made under a reference of the demo's own, so that a second walk in the same
    space finds it again.
    """
    base = f"{prefix}/ins/identities"
    reference = {"Idempotency-Key": "socle-demo"}
    record = expect(
        http.post(base, json=patient.traits(), headers={**session.headers, **reference}), 200, 201
    ).json()
    if record["status"] == QUALIFIED:
        return QUALIFIED
    expect(http.post(f"{base}/{record['id']}/search", headers=session.headers), 200)
    proof = {"code": "CN", "reason": "carte nationale d'identité vue à l'accueil"}
    qualified = expect(
        http.post(f"{base}/{record['id']}/evidence", json=proof, headers=session.headers), 200
    ).json()
    return str(qualified["status"])


def make_known(http: httpx.Client, prefix: str, patient: Patient) -> None:
    """The patient of the user's own document: INSi learns of them, and they are qualified."""
    person = {
        **patient.traits(),
        "oid": patient.ins.oid,
        "matricule": patient.ins.with_key,
        "allow_wrong_key": True,
        "qualified": True,
    }
    expect(http.post(f"{prefix}/_sandbox/ins/people", json=person), 201)


def _search_envelope(patient: Patient) -> str:
    now = wall().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    given = patient.given_names.split()[0]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"'
        ' xmlns:wsa="http://www.w3.org/2005/08/addressing"><soap:Header>'
        '<ctx:ContexteBAM xmlns:ctx="urn:siram:bam:ctxbam" Nature="CTXBAM" Version="01_02">'
        f"<ctx:Id>{random_uuid()}</ctx:Id><ctx:Temps>{now}</ctx:Temps>"
        "<ctx:Emetteur>10B0152872</ctx:Emetteur><ctx:COUVERTURE/></ctx:ContexteBAM>"
        '<lps:ContexteLPS xmlns:lps="urn:siram:lps:ctxlps" Nature="CTXLPS" Version="01_00">'
        f"<lps:Id>{random_uuid()}</lps:Id><lps:Temps>{now}</lps:Temps>"
        '<lps:Emetteur>10B0152872</lps:Emetteur><lps:LPS><lps:IDAM R="4">EXEMPLE01</lps:IDAM>'
        f"<lps:Version>1.0</lps:Version><lps:Instance>{random_uuid()}</lps:Instance>"
        "<lps:Nom>urn:lps:socle-demo:1.0</lps:Nom></lps:LPS></lps:ContexteLPS>"
        f"<wsa:Action>{ACTION}</wsa:Action><wsa:MessageID>urn:uuid:{random_uuid()}</wsa:MessageID>"
        "</soap:Header><soap:Body>"
        '<RECSANSVITALE xmlns="http://www.cnamts.fr/INSiRecSans">'
        f"<NomNaissance>{escape(patient.family_name)}</NomNaissance>"
        f"<Prenom>{escape(given)}</Prenom><Sexe>{patient.sex}</Sexe>"
        f"<DateNaissance>{patient.birth_date.isoformat()}</DateNaissance>"
        f"<LieuNaissance>{patient.birth_place}</LieuNaissance>"
        "</RECSANSVITALE></soap:Body></soap:Envelope>"
    )
