"""Namespaces, actions and codes of TD0 and TD1 (spec: dmp.md §1.2, §1.3; WSDL annex of the kit)."""

from typing import Final

HL7: Final = "urn:hl7-org:v3"
GDP: Final = "asip:ci-sis:gdp:2010"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
PATIENTS: Final = "urn:si-dmp-patients"
RIGHTS: Final = "urn:si-dmp-habilitations"

QUERY, QUERY_ANSWER = "PRPA_IN201307UV02", "PRPA_IN201308UV02"
ADD, ADD_DONE, ADD_REFUSED = "PRPA_IN201311UV02", "PRPA_IN201312UV02", "PRPA_IN201313UV02"
REVISE, REVISE_DONE, REVISE_REFUSED = "PRPA_IN201314UV02", "PRPA_IN201315UV02", "PRPA_IN201316UV02"
FIND, FIND_ANSWER = "PRPA_IN201305UV02", "PRPA_IN201306UV02"

ANSWER_ACTIONS: Final = {
    f"{{{HL7}}}{QUERY}": f"{HL7}:{QUERY_ANSWER}",
    f"{{{HL7}}}{FIND}": f"{HL7}:{FIND_ANSWER}",
    f"{{{HL7}}}{ADD}": f"{HL7}:PRPA_IN201311ResponseUV02",
    f"{{{HL7}}}{REVISE}": f"{HL7}:PRPA_IN201314ResponseUV02",
    f"{{{PATIENTS}}}patientList": f"{PATIENTS}:PatientSpecificEndPoint:patientListResponse",
    f"{{{RIGHTS}}}setAuthorization": f"{RIGHTS}:HabilitationsEndPoint:setAuthorizationResponse",
    f"{{{RIGHTS}}}listAuthorizationByPatient": (
        f"{RIGHTS}:HabilitationsEndPoint:listAuthorizationByPatientResponse"
    ),
}
"""By the element of the body, which tells what is asked: the kit's own client sends the action of the
answer with two of these requests."""

DMP: Final = "1.2.250.1.213.4.1.1.1"
INTERACTIONS: Final = "2.16.840.1.113883.1.6"
REASONS: Final = "1.2.250.1.213.1.1.4.11"
TEST_EXISTENCE, CONSULT = "TEST_EXST", "CNSLT_DATA"
CREATE, MODIFY, CLOSE, REACTIVATE = "CREA_RD", "MODIF_DATA", "FERM", "REAC"

AUTHORIZATION: Final = ("AUTORISATION", "1.2.250.1.213.4.1.2.6.1")
AUTHORIZATION_VALUES: Final = "1.2.250.1.213.4.1.2.6.2"
TREATING: Final = ("STATUT_MT", "1.2.250.1.213.4.1.2.6.3")
INTERNET_ACCOUNT: Final = ("COMPTE_INTERNET_OUVERT", "1.2.250.1.213.4.1.2.9")
MANAGEMENT: Final = "1.2.250.1.213.4.1.2.3"
ATTACHED: Final = ("RATTACHEMENT_ENS", MANAGEMENT)
BREAK_GLASS: Final = ("OPPOSITION_BRIS_DE_GLACE", MANAGEMENT)
EMERGENCY: Final = ("OPPOSITION_ACCES_URGENCE", MANAGEMENT)
CONSENTS: Final = ("CONSENTEMENT_OUVERTURE_DMP", "CONSENTEMENT_REACTIVATION_DMP")
CLOSED_BY_PATIENT: Final = "FERMETURE_DEMANDE_PATIENT"
OK: Final = "DMPOk"
