"""ORU and MDM in the form of the ANS's guide, with people of the sandbox."""

import base64
from collections.abc import Mapping, Sequence

from socle.demo.document import laboratory_report
from socle.xdm import SourceDocument

CDA = laboratory_report(document_id="2.25.1")
PATIENT = SourceDocument.of(CDA).patient
COLLEAGUE = "robert.specialiste0021889@socle.mssante.fr"
PS = {"DESTMSSANTEPS": "Y", "DESTMSSANTEPAT": "N", "INVISIBLE_PATIENT": "Y"}
BOTH = {"DESTMSSANTEPS": "Y", "DESTMSSANTEPAT": "Y"}
REPLACING = CDA.replace(
    b"  <componentOf>",
    b'  <relatedDocument typeCode="RPLC"><parentDocument><id root="2.25.9"/></parentDocument>'
    b"</relatedDocument>\n  <componentOf>",
)
STRUCTURE = "1300017985"
SENT_BY = (
    "PRT||UC||SB^Send By^participation|899700427885^DOC0042788^KIT^^^^^^ASIP-SANTE-PS"
    "&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS|||Organisation-X^^^^^ASIP-SANTE-ST&1.2.250.1.71.4.2.2&ISO"
    "^FINEG^^^300017985"
)
_REQUIRED = (
    "MASQUE_PS", "INVISIBLE_PATIENT", "INVISIBLE_REP_LEGAUX", "CONNEXION_SECRETE", "MODIF_CONF_CODE",
    "DESTDMP", "DESTMSSANTEPS", "DESTMSSANTEPAT",
)  # fmt: skip
_EVENTS = {"F": ("T02", "NW"), "C": ("T10", "RO"), "D": ("T04", "CA")}


def encoded(content: bytes | str) -> str:
    return base64.b64encode(content if isinstance(content, bytes) else content.encode()).decode()


def order(
    *,
    kind: str = "ORU",
    documents: Sequence[bytes] = (CDA,),
    status: str = "F",
    flags: Mapping[str, str] = BOTH,
    recipients: Sequence[str] = (COLLEAGUE, PATIENT.citizen_address),
    control_id: str = "015",
    more: Sequence[str] = (),
    application: str = "SIL-Y",
    charset: str = "UNICODE UTF-8",
) -> str:
    """Segments end with CR, as on the wire."""
    event, control = _EVENTS[status]
    message = "ORU^R01^ORU_R01" if kind == "ORU" else f"MDM^{event}^MDM_T02"
    version = "2.5" if kind == "ORU" else "2.6"
    said = dict.fromkeys(_REQUIRED, "N") | dict(flags)
    segments = [
        f"MSH|^~\\&|{application}|labo|PFI-X|Organisation-X|202106060931||{message}|{control_id}|P|{version}"
        f"|||||FRA|{charset}|||2.1^CISIS_CDA_HL7_V2",
        *(["EVN||20211005152908"] if kind == "MDM" else []),
        f"PID|||{PATIENT.cx_pam}^^20101207||ADRUN^ZOE^ZOE^^^^L||19751231|F",
        "PV1|1|I|UFNEPH",
        f"ORC|{control}|98765431^Nephro",
        "OBR|1|98765431^Nephro||11502-2^CR d'examens biologiques^LN",
        *(["TXA|1|11502-2|TEXT|202212160932"] if kind == "MDM" else []),
    ]
    for number, content in enumerate(documents):
        segments.append(
            f"OBX|{number + 1}|ED|11502-2^CR d'examens biologiques^LN||^TEXT^XML^Base64^{encoded(content)}"
            f"||||||{status}"
        )
        if number == 0:
            segments.append(SENT_BY)
            segments += [
                f"PRT||UC||RCT^Results Copies To^participation|801234567897||||||||||^^X.400^{it}"
                for it in recipients
            ]
    coded = "CE" if kind == "ORU" else "CWE"  # withdrawn from v2.6, which MDM is written in
    for name, value in said.items():
        segments.append(
            f"OBX|9|{coded}|{name}^x^MetaDMPMSS||{value}^^expandedYes-NoIndicator||||||F"
        )
        if name == "DESTMSSANTEPAT" and "FIN" in more:
            segments.append("NTE|1|||FIN")
    segments += [line for line in more if line != "FIN"]
    return "\r".join(segments) + "\r"
