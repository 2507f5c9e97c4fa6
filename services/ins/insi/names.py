"""Namespaces and operations of ServiceIdentiteCertifiee-v1 (WSDL DESIR_ICIR_EXP 1.5.0)."""

SOAP = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://www.w3.org/2005/08/addressing"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
CTXBAM = "urn:siram:bam:ctxbam"
CTXLPS = "urn:siram:lps:ctxlps"
SIRAM = "urn:siram"
REC_SANS = "http://www.cnamts.fr/INSiRecSans"
REC_VIT = "http://www.cnamts.fr/INSiRecVit"
RESULT = "http://www.cnamts.fr/INSiResultat"
SOCLE_ERROR = "urn:socle:error"

_ACTIONS = "urn:ServiceIdentiteCertifiee:1.0.0:"
SEARCH_BY_TRAITS = f"{_ACTIONS}rechercherInsAvecTraitsIdentite"
SEARCH_BY_CARD = f"{_ACTIONS}rechercherInsAvecCarteVitale"

ROOT_OF_ACTION = {
    SEARCH_BY_TRAITS: f"{{{REC_SANS}}}RECSANSVITALE",
    SEARCH_BY_CARD: f"{{{REC_VIT}}}RECVITALE",
}
