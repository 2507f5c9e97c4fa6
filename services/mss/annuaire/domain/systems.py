"""Names that the directory's resources carry (spec: mss.md §2 and §3; ansforge/IG-fhir-annuaire 1.2.0)."""

from typing import Final

KINDS: Final = ("Practitioner", "PractitionerRole", "Device", "Organization", "HealthcareService")
"""In the order in which the real server's HAPI-0302 lists them."""

HOLDERS: Final = ("Practitioner", "PractitionerRole", "Organization")
"""Those whose `telecom` holds mailboxes."""

_STRUCTURES: Final = "https://interop.esante.gouv.fr/ig/fhir/annuaire/StructureDefinition/"
_CORE: Final = "https://hl7.fr/ig/fhir/core/StructureDefinition/"
CORE_IDENTIFIERS: Final = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203"
CORE_ORGANIZATION_TYPES: Final = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-3307"
EMAIL_TYPE: Final = f"{_CORE}fr-core-contact-point-email-type"
MAILBOX_METADATA: Final = f"{_STRUCTURES}as-ext-mailbox-mss-metadata"
DATA_TRACE: Final = f"{_STRUCTURES}as-ext-data-trace"
SMARTCARD: Final = f"{_STRUCTURES}as-ext-smartcard"
AUTHORIZATION: Final = f"{_STRUCTURES}as-ext-authorization"
ORGANIZATION_TYPES: Final = f"{_STRUCTURES}as-ext-organization-types"
PHARMACY_LICENCE: Final = f"{_STRUCTURES}as-ext-organization-pharmacy-licence"

IDNPS: Final = "urn:oid:1.2.250.1.71.4.2.1"
IDNST: Final = "urn:oid:1.2.250.1.71.4.2.2"
RPPS: Final = "https://rpps.esante.gouv.fr"
RPPS_RANG: Final = "https://rppsrang.esante.gouv.fr"
FINESS: Final = "https://finess.esante.gouv.fr"
SIRET: Final = "https://sirene.fr"
ARHGOS: Final = "https://arhgos.ars.sante.fr"


def nos(table: str) -> str:
    """`TRE_R02-SecteurActivite` as the NOS name their code systems."""
    return f"https://mos.esante.gouv.fr/NOS/{table}/FHIR/{table.replace('_', '-')}"


PROFESSION: Final = nos("TRE_G15-ProfessionSante")
CATEGORY: Final = nos("TRE_R09-CategorieProfessionnelle")
SPECIALTY: Final = nos("TRE_R38-SpecialiteOrdinale")
SKILL_TYPE: Final = nos("TRE_R04-TypeSavoirFaire")
ACTIVITY_KIND: Final = nos("TRE_R22-GenreActivite")
EXERCISE_MODE: Final = nos("TRE_R23-ModeExercice")
FUNCTION: Final = nos("TRE_R21-Fonction")
PHARMACIST_SECTION: Final = nos("TRE_R06-SectionTableauCNOP")
SECTOR: Final = nos("TRE_R02-SecteurActivite")
ESTABLISHMENT: Final = nos("TRE_R66-CategorieEtablissement")
AUTHORITY: Final = nos("TRE_R60-AutoriteEnregistrement")
EQUIPMENT: Final = nos("TRE_R272-EquipementMaterielLourd")
ACTIVITY_FORM: Final = nos("TRE_R276-FormeActivite")
SOCIAL_MODE: Final = nos("TRE_R209-TypeActivite")
REGULATED_CARE: Final = nos("TRE_R277-ActiviteSanitaireRegulee")
CARE_MODALITY: Final = nos("TRE_R275-ModaliteActivite")
MESSAGING: Final = nos("TRE_R256-TypeMessagerie")
MAILBOX_TYPE: Final = nos("TRE_R257-TypeBAL")


def profiles(name: str, core: str = "") -> list[str]:
    """`meta.profile` of a public resource."""
    own = f"{_STRUCTURES}as-dp-{name}"
    return [f"{_CORE}{core}", own] if core else [own]


def restricted(profile: str) -> str:
    """The generic profile of one that is public: it holds what the public one leaves out."""
    return profile.replace(f"{_STRUCTURES}as-dp-", f"{_STRUCTURES}as-")
