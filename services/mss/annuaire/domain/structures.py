"""Structures as the directory shows them: geographical and legal entities, their equipment and services.

Shapes: profiles as-dp-organization, as-dp-device and as-dp-healthcareservice-… of IG-fhir-annuaire.
"""

from collections.abc import Iterator

from services.mss.annuaire.domain import systems
from services.mss.annuaire.domain.entries import (
    Entry,
    Json,
    concept,
    id_of,
    identifier,
    reference,
    resource,
)
from socle.people.person import Activity

_ADDRESS_PART = "http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-"
HOSPITALS = ("SA01", "SA02", "SA03", "SA04")
SOCIAL = ("SA17",)
PHARMACIES = ("SA33", "SA38", "SA39", "SA65")


def structure_of(activity: Activity) -> str | None:
    """The id of the Organization in which the activity takes place."""
    number = national_id_of(activity)
    return id_of("Organization", number) if number else None


def national_id_of(activity: Activity) -> str:
    """Struct_IdNat; that of the technical identifier where a person of one's own has no other."""
    if activity.ancienIdentifiantDeLaStructure:
        return activity.ancienIdentifiantDeLaStructure
    if activity.numeroFinessSite:
        return f"1{activity.numeroFinessSite}"
    if activity.numeroSiretSite:
        return f"3{activity.numeroSiretSite}"
    return activity.identifiantTechniqueDeLaStructure


def structures_of(activity: Activity) -> Iterator[Entry]:
    number = national_id_of(activity)
    if not number:
        return
    id_ = id_of("Organization", number)
    finess, legal = activity.numeroFinessSite, activity.numeroFinessetablissementJuridique
    body = _organization(id_, number, activity, geographical=bool(finess))
    if legal:
        parent = id_of("Organization", f"1{legal}")
        body["partOf"] = reference("Organization", parent)
        yield _legal_entity(parent, legal, activity)
    yield Entry("Organization", id_, body, number)
    if finess and activity.codeSecteurDactivite in HOSPITALS:
        yield _scanner(id_, finess)
        yield _care(id_, finess)
    if finess and activity.codeSecteurDactivite in SOCIAL:
        yield _social_equipment(id_, finess)


def _organization(id_: str, number: str, activity: Activity, *, geographical: bool) -> Json:
    body = resource(
        "Organization", id_, systems.profiles("organization", "fr-core-organization"),
        "FINESS" if geographical else "RPPS", "ARS" if geographical else "CNOM",
    )  # fmt: skip
    licence = activity.codeSecteurDactivite in PHARMACIES
    if licence and activity.numeroFinessSite:
        # Department, then the number within it; fictive like the FINESS that it is made of.
        value = f"{activity.codePostal[:2]}#{activity.numeroFinessSite[-6:]}"
        body["extension"] = [{"url": systems.PHARMACY_LICENCE, "valueString": value}]
    body["identifier"] = [identifier("IDNST", systems.IDNST, number)]
    numbers = (
        ("FINEG", systems.FINESS, activity.numeroFinessSite),
        ("SIRET", systems.SIRET, activity.numeroSiretSite),
        ("RPPSRG", systems.RPPS_RANG, activity.identifiantTechniqueDeLaStructure),
    )
    body["identifier"] += [identifier(*one) for one in numbers if one[2]]
    body["active"] = True
    body["type"] = _types(activity, "GEOGRAPHICAL-ENTITY" if geographical else "LEGAL-ENTITY")
    body["name"] = activity.raisonSocialeSite or number
    if activity.enseigneCommercialeSite:
        body["alias"] = [activity.enseigneCommercialeSite]
    if activity.telephone:
        body["telecom"] = [{"system": "phone", "value": activity.telephone}]
    if address := _address(activity):
        body["address"] = [address]
    return body


def _legal_entity(id_: str, finess: str, activity: Activity) -> Entry:
    number = f"1{finess}"
    body = resource(
        "Organization", id_, systems.profiles("organization", "fr-core-organization"), "FINESS",
        "ARS",
    )  # fmt: skip
    body["identifier"] = [
        identifier("IDNST", systems.IDNST, number),
        identifier("FINEJ", systems.FINESS, finess),
    ]
    body["active"] = True
    body["type"] = _types(activity, "LEGAL-ENTITY")
    body["name"] = f"ENTITE JURIDIQUE {finess}"
    return Entry("Organization", id_, body, number)


def _types(activity: Activity, entity: str) -> list[Json]:
    types = [_type("organizationType", systems.CORE_ORGANIZATION_TYPES, entity)]
    if activity.codeSecteurDactivite:
        types.append(_type("secteurActiviteRASS", systems.SECTOR, activity.codeSecteurDactivite))
    if activity.codeSecteurDactivite == "SA01" and entity == "GEOGRAPHICAL-ENTITY":
        types.append(concept(systems.ESTABLISHMENT, "101"))  # C.H.R.
    return types


def _type(name: str, system: str, code: str) -> Json:
    return {
        "extension": [{"url": systems.ORGANIZATION_TYPES, "valueCode": name}],
        **concept(system, code),
    }


def _address(activity: Activity) -> Json:
    parts = (
        ("houseNumber", activity.numeroVoie),
        ("streetNameType", activity.codeTypeDeVoie),
        ("streetNameBase", activity.libelleVoie),
    )
    held = [
        {"url": f"{_ADDRESS_PART}{name}", "valueString": value} for name, value in parts if value
    ]
    address: Json = {}
    if held:
        address["line"] = [" ".join(part["valueString"] for part in held)]
        address["_line"] = [{"extension": held}]
    city = activity.bureauCedex.removeprefix(activity.codePostal).strip()
    if city:
        address["city"] = city
    if activity.codePostal:
        address["postalCode"] = activity.codePostal
    return address


def _arhgos(finess: str, rank: int) -> list[Json]:
    """As "93-93-67204" is written: twice the department, then a number."""
    department = finess[:2]
    return [{"system": systems.ARHGOS, "value": f"{department}-{department}-{finess[3:]}{rank}"}]


def _scanner(structure: str, finess: str) -> Entry:
    id_ = id_of("Device", f"{finess}/1")
    active = int(finess[-1]) % 5 != 4  # one in five has been taken down
    body = resource("Device", id_, systems.profiles("device"), "FINESS", "ARS")
    body["identifier"] = _arhgos(finess, 1)
    body["status"] = "active" if active else "inactive"
    if active:
        body["extension"] = [
            {
                "url": systems.AUTHORIZATION,
                "extension": [
                    {"url": "dateAuthorization", "valueDate": "2022-03-01"},
                    {
                        "url": "periodAuthorization",
                        "valuePeriod": {"start": "2022-09-01", "end": "2029-08-31"},
                    },
                ],
            }
        ]
        body["manufacturer"] = "MARQUE GENERIQUE"
        body["type"] = concept(systems.EQUIPMENT, "05602")
        body["owner"] = reference("Organization", structure)
    return Entry("Device", id_, body)


def _care(structure: str, finess: str) -> Entry:
    id_ = id_of("HealthcareService", f"{finess}/2")
    profile = systems.profiles("healthcareservice-healthcare-activity")
    body = resource("HealthcareService", id_, profile, "FINESS", "ARS")
    body["identifier"] = _arhgos(finess, 2)
    body["active"] = True
    body["providedBy"] = reference("Organization", structure)
    body["category"] = [concept(systems.CARE_MODALITY, "00")]
    body["type"] = [concept(systems.REGULATED_CARE, "02")]
    body["characteristic"] = [concept(systems.ACTIVITY_FORM, "07")]  # chirurgie ambulatoire
    return Entry("HealthcareService", id_, body)


def _social_equipment(structure: str, finess: str) -> Entry:
    id_ = id_of("HealthcareService", f"{finess}/3")
    profile = systems.profiles("healthcareservice-social-equipment")
    body = resource("HealthcareService", id_, profile, "FINESS", "ARS")
    body["identifier"] = _arhgos(finess, 3)
    body["active"] = True
    body["providedBy"] = reference("Organization", structure)
    body["characteristic"] = [concept(systems.SOCIAL_MODE, "11")]  # hébergement complet
    return Entry("HealthcareService", id_, body)
