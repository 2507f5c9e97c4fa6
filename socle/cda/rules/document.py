"""Rules about the document itself: what it is, which version, in which language."""

import re
from collections.abc import Iterator
from typing import Final

from socle.cda.header import MAX_REPEATED
from socle.cda.model import CdaHeader, Id
from socle.cda.rules.report import check_system, finding, missing, read_stamp
from socle.cda.valuesets import value_set
from socle.ids import oids
from socle.problems import Problem

MAX_TITLE: Final = 128
MAX_OID: Final = 64

_OID: Final = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*))+")
_GUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_SYSTEMS: Final = {oids.LOINC, oids.DOCUMENT_TYPE_LOCAL}

# Elements that the header holds exactly once.
_ONCE: Final = (
    "realmCode",
    "typeId",
    "id",
    "code",
    "title",
    "effectiveTime",
    "confidentialityCode",
    "languageCode",
    "setId",
    "versionNumber",
    "recordTarget",
    "custodian",
    "legalAuthenticator",
    "componentOf",
    "component",
)


def check_document(header: CdaHeader) -> list[Problem]:
    return [
        *_cardinalities(header),
        *_conformance(header),
        *_identity(header),
        *_type(header),
        *_title(header),
        *_effective_time(header),
        *_coded_words(header),
        *_version(header),
    ]


def _cardinalities(header: CdaHeader) -> Iterator[Problem]:
    for name in _ONCE:
        count = header.counts.get(name, 0)
        if count > 1:
            yield finding(name, name, f"{name} figure {count} fois", f"un seul {name}")
    for name, count in header.counts.items():
        if count > MAX_REPEATED and name not in _ONCE:
            message = f"{name} figure {count} fois"
            yield finding("repetition", name, message, f"{MAX_REPEATED} fois au plus")


def _conformance(header: CdaHeader) -> Iterator[Problem]:
    if header.realm != "FR":
        yield finding("realmCode", "realmCode/@code", f"realmCode vaut « {header.realm} »", "FR")
    kind = header.type_id or Id()
    if (kind.root, kind.extension) != (oids.CDA_TYPE_ROOT, oids.CDA_TYPE_EXTENSION):
        expected = f'root="{oids.CDA_TYPE_ROOT}" extension="{oids.CDA_TYPE_EXTENSION}"'
        yield finding("typeId", "typeId", "typeId n'est pas celui de CDA R2", expected)
    declared = {it.root for it in header.template_ids}
    for root, name in ((oids.TEMPLATE_HL7_FRANCE, "HL7 France"), (oids.TEMPLATE_CI_SIS, "CI-SIS")):
        if root not in declared:
            message = f"la conformité {name} n'est pas déclarée"
            yield finding("templateId", "templateId", message, f'<templateId root="{root}"/>')
    if len(declared - {oids.TEMPLATE_HL7_FRANCE, oids.TEMPLATE_CI_SIS}) == 0:
        expected = f"le modèle du document ({oids.TEMPLATE_UNSTRUCTURED} pour un niveau 1)"
        yield finding(
            "templateId-model",
            "templateId",
            "aucun modèle de document déclaré",
            expected,
            "warning",
        )


def _identity(header: CdaHeader) -> Iterator[Problem]:
    if header.id is None or not header.id.root:
        yield missing("id", "id/@root", "un OID, identique à l'uniqueId des métadonnées")
        return
    yield from _root_form("id", header.id.root)
    if header.id.extension:
        yield finding(
            "id-extension",
            "id/@extension",
            "id porte une extension, que le DMP n'accepte pas",
            "un OID entier dans root, sans extension",
            # Two of the samples published by the ANS carry one.
            "warning",
        )


def _root_form(name: str, root: str) -> Iterator[Problem]:
    expected = f"un OID de {MAX_OID} caractères au plus (un UUID s'écrit 2.25.<entier>)"
    if _GUID.fullmatch(root):
        # Nearly every sample published by the ANS does so: refusing it would refuse them.
        yield finding(f"{name}-guid", f"{name}/@root", "root est un GUID", expected, "warning")
    elif not _OID.fullmatch(root) or len(root) > MAX_OID:
        yield finding(
            f"{name}-oid", f"{name}/@root", f"root « {root[:80]} » n'est pas un OID", expected
        )


def _type(header: CdaHeader) -> Iterator[Problem]:
    types = value_set("document_types")
    expected = f"un code de {types.name} (LOINC ou TRE_A05)"
    code = header.code
    if code is None or not code.code:
        yield missing("code", "code/@code", expected)
        return
    if code.system not in _SYSTEMS:
        message = f"codeSystem vaut « {code.system} »"
        system = f"{oids.LOINC} (LOINC) ou {oids.DOCUMENT_TYPE_LOCAL} (TRE_A05)"
        yield finding("code-system", "code/@codeSystem", message, system)
    concept = types.get(code.code)
    if code.code in types.absent:
        message = f"le type « {code.code} » n'est pas dans {types.name}"
        yield finding("code-unknown", "code/@code", message, types.absent[code.code])
    elif concept is None:
        message = f"le type « {code.code} » n'est pas dans l'extrait de {types.name} du bac à sable"
        yield finding("code-unlisted", "code/@code", message, expected, "warning")
    elif concept.system != code.system and code.system in _SYSTEMS:
        yield from check_system("code-system", "code", code, concept.system, types.name)


def _title(header: CdaHeader) -> Iterator[Problem]:
    if not header.title:
        yield missing("title", "title", f"un titre de {MAX_TITLE} caractères au plus")
    elif len(header.title) > MAX_TITLE:
        message = f"le titre a {len(header.title)} caractères"
        yield finding("title", "title", message, f"{MAX_TITLE} caractères au plus")


def _effective_time(header: CdaHeader) -> Iterator[Problem]:
    path = "effectiveTime/@value"
    if not header.effective_time:
        yield missing("effectiveTime", path, "AAAAMMJJhhmmss±hhmm")
        return
    stamp, problems = read_stamp("effectiveTime", path, header.effective_time)
    yield from problems
    if stamp and (stamp.precision != "second" or not stamp.has_zone):
        message = "effectiveTime n'est pas à la seconde avec son fuseau"
        # A model published by the ANS has minutes only: warn, do not refuse.
        yield finding("effectiveTime-precision", path, message, "AAAAMMJJhhmmss±hhmm", "warning")


def _coded_words(header: CdaHeader) -> Iterator[Problem]:
    level = header.confidentiality
    if level is None or not level.code:
        yield missing("confidentialityCode", "confidentialityCode/@code", "N, R ou V")
    elif level.code not in ("N", "R", "V"):
        yield finding(
            "confidentialityCode",
            "confidentialityCode/@code",
            f"confidentialityCode vaut « {level.code} »",
            "N, R ou V ; le masquage ne figure que dans les métadonnées",
        )
    if header.language != "fr-FR":
        message = f"languageCode vaut « {header.language} »"
        yield finding("languageCode", "languageCode/@code", message, "fr-FR")


def _version(header: CdaHeader) -> Iterator[Problem]:
    if header.set_id is None or not header.set_id.root:
        yield missing("setId", "setId/@root", "l'identifiant commun à toutes les versions")
    elif not header.set_id.extension:
        yield from _root_form("setId", header.set_id.root)
    number = header.version_number
    if not (number.isascii() and number.isdigit() and int(number[:9]) > 0):
        message = f"versionNumber vaut « {number[:20]} »"
        yield finding("versionNumber", "versionNumber/@value", message, "un entier à partir de 1")
