"""Rules about the act, the encounter, the replaced document, the body and missing values."""

from collections.abc import Iterator
from typing import Final

from socle.cda.model import CdaHeader, Code, ServiceEvent
from socle.cda.rules.report import check_system, finding, missing, read_stamp
from socle.cda.valuesets import formats_by_media_type, value_set
from socle.ids import oids
from socle.problems import Problem

_EVENT: Final = "documentationOf/serviceEvent"
_SETTING: Final = (
    f"{_EVENT}/performer/assignedEntity/representedOrganization/standardIndustryClassCode"
)
_ENCOUNTER: Final = "componentOf/encompassingEncounter"
_NULL_FLAVORS: Final = frozenset({"UNK", "NASK", "ASKU", "NAV", "MSK"})
_RELATIONS: Final = ("RPLC", "XFRM")


def check_context(header: CdaHeader) -> list[Problem]:
    return [
        *_service_events(header),
        *_encounter(header),
        *_related(header),
        *_body(header),
        *_null_flavors(header),
    ]


def practice_setting_of(header: CdaHeader) -> Code | None:
    """The setting is carried by the performer's organisation of the main act."""
    for event in header.service_events:
        for performer in event.performers:
            industry = performer.organization.industry if performer.organization else None
            if industry is not None and industry.code:
                return industry
    return None


def main_event_of(header: CdaHeader) -> ServiceEvent | None:
    """The main act is the one that has a beginning; further ones only carry codes."""
    dated = (it for it in header.service_events if it.time and it.time.low)
    return next(dated, None)


def _service_events(header: CdaHeader) -> Iterator[Problem]:
    if not header.service_events:
        yield missing("documentationOf", _EVENT, "au moins un acte documenté")
        return
    event = main_event_of(header)
    low_path = f"{_EVENT}/effectiveTime/low/@value"
    if event is None or event.time is None:
        yield missing("documentationOf-low", low_path, "le début de l'acte, AAAAMMJJhhmmss±hhmm")
    else:
        yield from _interval(event.time.low, event.time.high)
    setting = practice_setting_of(header)
    settings = value_set("practice_settings")
    expected = f"un code de {settings.name}, par exemple AMBULATOIRE"
    if setting is None:
        yield missing("practiceSetting", _SETTING, expected)
        return
    yield from check_system("practiceSetting", _SETTING, setting, settings.oid, settings.name)
    if setting.code not in settings:
        message = f"« {setting.code} » n'est pas dans l'extrait de {settings.name} du bac à sable"
        yield finding("practiceSetting", f"{_SETTING}/@code", message, expected, "warning")


def _interval(low: str, high: str) -> Iterator[Problem]:
    base = f"{_EVENT}/effectiveTime"
    start, problems = read_stamp("documentationOf-low", f"{base}/low/@value", low)
    yield from problems
    if high:
        stop, problems = read_stamp("documentationOf-high", f"{base}/high/@value", high)
        yield from problems
        if start and stop and stop.precision == start.precision and stop.value < start.value:
            message = "la fin de l'acte précède son début"
            expected = "une fin après le début"
            yield finding("documentationOf-high", f"{base}/high/@value", message, expected)


def _encounter(header: CdaHeader) -> Iterator[Problem]:
    encounter = header.encounter
    if encounter is None:
        yield missing("componentOf", _ENCOUNTER, "la prise en charge et son lieu")
        return
    if encounter.time is None:
        yield missing(
            "componentOf-effectiveTime",
            f"{_ENCOUNTER}/effectiveTime",
            "les dates de la prise en charge",
        )
    elif encounter.time.low:
        path = f"{_ENCOUNTER}/effectiveTime/low/@value"
        yield from read_stamp("componentOf-effectiveTime", path, encounter.time.low)[1]
    path = f"{_ENCOUNTER}/location/healthCareFacility/code"
    facilities = value_set("facility_types")
    expected = f"un code de {facilities.name}, SA01 à SA69"
    if encounter.facility is None or not encounter.facility.code:
        yield missing("healthCareFacility", path, expected)
        return
    facility = encounter.facility
    yield from check_system("healthCareFacility", path, facility, facilities.oid, facilities.name)
    if facility.code not in facilities:
        message = f"« {facility.code} » n'est pas dans {facilities.name}"
        yield finding("healthCareFacility", f"{path}/@code", message, expected)


def _related(header: CdaHeader) -> Iterator[Problem]:
    if len(header.related_documents) > 1:
        message = f"relatedDocument figure {len(header.related_documents)} fois"
        yield finding("relatedDocument", "relatedDocument", message, "un seul au plus")
    for related in header.related_documents:
        if related.type_code not in _RELATIONS:
            message = f"typeCode vaut « {related.type_code} »"
            yield finding("relatedDocument", "relatedDocument/@typeCode", message, "RPLC ou XFRM")
        if not any(it.root for it in related.ids):
            path = "relatedDocument/parentDocument/id/@root"
            yield missing("relatedDocument-id", path, "l'identifiant du document remplacé")


def _body(header: CdaHeader) -> Iterator[Problem]:
    body = header.body
    if not body.kind:
        expected = "component/structuredBody (niveau 3) ou component/nonXMLBody (niveau 1)"
        yield finding("body", "component", "le document n'a pas de corps", expected)
        return
    if body.is_empty:
        expected = "au moins une section" if body.kind == "N3" else "le fichier en base64"
        yield finding("body-empty", "component", "le corps est vide", expected)
    if body.kind == "N1":
        yield from _encapsulated(header)
    elif oids.TEMPLATE_UNSTRUCTURED in {it.root for it in header.template_ids}:
        message = "un document structuré déclare le modèle des documents de niveau 1"
        yield finding(
            "body-template", "templateId", message, "le modèle du volet, sans celui du niveau 1"
        )


def _encapsulated(header: CdaHeader) -> Iterator[Problem]:
    path = "component/nonXMLBody/text"
    media_types = sorted(formats_by_media_type())
    if header.body.media_type not in media_types:
        message = f"mediaType vaut « {header.body.media_type} »"
        yield finding("body-mediaType", f"{path}/@mediaType", message, ", ".join(media_types))
    if header.body.representation != "B64":
        message = f"representation vaut « {header.body.representation} »"
        yield finding("body-representation", f"{path}/@representation", message, "B64")
    if oids.TEMPLATE_UNSTRUCTURED not in {it.root for it in header.template_ids}:
        expected = f'<templateId root="{oids.TEMPLATE_UNSTRUCTURED}"/>'
        message = "un document de niveau 1 ne déclare pas son modèle"
        # Some published level 1 samples declare the model of their volet instead.
        yield finding("body-template", "templateId", message, expected, "warning")


def _null_flavors(header: CdaHeader) -> Iterator[Problem]:
    for path, flavor in header.null_flavors:
        if flavor not in _NULL_FLAVORS:
            yield finding(
                "nullFlavor",
                f"{path.removeprefix('/ClinicalDocument/')}/@nullFlavor",
                f"nullFlavor vaut « {flavor[:10]} »",
                ", ".join(sorted(_NULL_FLAVORS)),
                # NA stands fifty times in the published samples.
                "warning",
            )
