"""Code systems by their OID and by their FHIR address (spec: dmp.md §3.2)."""

from typing import Final

_NOS: Final = "https://mos.esante.gouv.fr/NOS"
_SYSTEMS: Final = {
    "2.16.840.1.113883.6.1": "http://loinc.org",
    "2.16.840.1.113883.5.25": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
    "1.2.250.1.213.1.1.4.1": f"{_NOS}/TRE_A03-ClasseDocument/FHIR/TRE-A03-ClasseDocument",
    "1.2.250.1.213.1.1.4.12": f"{_NOS}/TRE_A05-TypeDocComplementaire/FHIR/TRE-A05-TypeDocComplementaire",
    "1.2.250.1.213.1.1.4.13": f"{_NOS}/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument",
    "1.2.250.1.71.4.2.4": f"{_NOS}/TRE_R02-SecteurActivite/FHIR/TRE-R02-SecteurActivite",
    "1.2.250.1.213.1.1.4.9": f"{_NOS}/TRE_A01-CadreExercice/FHIR/TRE-A01-CadreExercice",
}
_OIDS: Final = {url: oid for oid, url in _SYSTEMS.items()}


def system_of_oid(oid: str) -> str:
    """An OID without an address of its own keeps its URN; a format's system may be a URI already."""
    return _SYSTEMS.get(oid) or (f"urn:oid:{oid}" if oid[:1].isdigit() else oid)


def oid_of_system(system: str) -> str:
    return _OIDS.get(system) or system.removeprefix("urn:oid:")
