"""Rules about those who wrote, keep and answer for the document."""

from collections.abc import Iterator

from socle.cda.model import CdaHeader, Entity, Id, Organization
from socle.cda.rules.report import finding, id_with_root, missing, read_stamp
from socle.ids import oids
from socle.ids.professionals import is_valid_rpps, parse_idnat
from socle.ids.structures import parse_struct_idnat
from socle.problems import Problem, Severity


def check_people(header: CdaHeader) -> list[Problem]:
    return [*_authors(header), *_custodian(header), *_legal_authenticator(header)]


def _authors(header: CdaHeader) -> Iterator[Problem]:
    if not header.authors:
        yield missing("author", "author", "au moins un auteur")
    for index, author in enumerate(header.authors, start=1):
        path = f"author[{index}]"
        if not author.time:
            yield missing("author-time", f"{path}/time/@value", "AAAAMMJJhhmmss±hhmm")
        else:
            yield from read_stamp("author-time", f"{path}/time/@value", author.time)[1]
        entity = author.entity
        assigned = f"{path}/assignedAuthor"
        yield from _professional("author", assigned, entity)
        if not entity.device and (entity.code is None or not entity.code.code):
            yield finding(
                "author-code",
                f"{assigned}/code",
                "la profession ou la spécialité de l'auteur est absente",
                f"par exemple G15_10/SM26, codeSystem {oids.AUTHOR_SPECIALTY}",
                # Five authors of the published samples, all devices or assistants, have none.
                "warning",
            )
        yield from _organization("author", assigned, entity.organization)


def _professional(rule: str, path: str, entity: Entity) -> Iterator[Problem]:
    expected = f'<id root="{oids.IDNAT_PS}" extension="8 puis le RPPS"/>'
    found = id_with_root(entity.ids, oids.IDNAT_PS)
    if found is None or not found.extension:
        # A device, an assistant or the patient may write; only the submitter must be a professional.
        severity: Severity = "error" if rule == "author" and not entity.device else "warning"
        yield finding(
            f"{rule}-id",
            f"{path}/id",
            "aucun identifiant national de professionnel",
            expected,
            severity,
        )
        return
    yield from _idnat_form(rule, path, found, expected)


def _idnat_form(rule: str, path: str, found: Id, expected: str) -> Iterator[Problem]:
    """Warnings only: several fictive identifiers of the published samples have a wrong form."""
    parsed = parse_idnat(found.extension)
    if parsed is None:
        message = "l'identifiant national du professionnel n'a pas une forme connue"
        yield finding(f"{rule}-id-form", f"{path}/id/@extension", message, expected, "warning")
    elif parsed.kind == "rpps" and not is_valid_rpps(parsed.number):
        message = "la clé du RPPS est fausse"
        yield finding(
            f"{rule}-id-rpps",
            f"{path}/id/@extension",
            message,
            "11 chiffres, clé de Luhn",
            "warning",
        )


def _organization(rule: str, path: str, organization: Organization | None) -> Iterator[Problem]:
    path = f"{path}/representedOrganization"
    expected = f'<id root="{oids.IDNAT_STRUCTURE}" extension="1 puis le FINESS, 3 puis le SIRET…"/>'
    found = id_with_root(organization.ids, oids.IDNAT_STRUCTURE) if organization else None
    if found is None or not found.extension:
        # Four authors of the published samples have none.
        message = "la structure n'a pas d'identifiant national"
        yield finding(f"{rule}-organization", f"{path}/id", message, expected, "warning")
    else:
        yield from _structure_form(rule, f"{path}/id/@extension", found.extension, expected)


def _structure_form(rule: str, path: str, extension: str, expected: str) -> Iterator[Problem]:
    """Warnings only: the published samples carry many fictive FINESS without a right key."""
    parsed = parse_struct_idnat(extension)
    if parsed is None:
        message = f"l'identifiant de structure « {extension[:30]} » n'a pas une forme connue"
        yield finding(f"{rule}-organization-form", path, message, expected, "warning")
    elif not parsed.is_valid:
        message = f"la clé du {parsed.kind.upper()} « {parsed.number} » est fausse"
        yield finding(f"{rule}-organization-key", path, message, "clé de Luhn", "warning")


def _custodian(header: CdaHeader) -> Iterator[Problem]:
    path = "custodian/assignedCustodian/representedCustodianOrganization/id"
    expected = f"root {oids.IDNAT_STRUCTURE}, ou {oids.CUSTODIAN_DMP} pour le DMP"
    ids = header.custodian.ids if header.custodian else ()
    structure = id_with_root(ids, oids.IDNAT_STRUCTURE)
    if structure is None and id_with_root(ids, oids.CUSTODIAN_DMP) is None:
        yield missing("custodian", path, expected)
    elif structure is not None:
        yield from _structure_form("custodian", f"{path}/@extension", structure.extension, expected)


def _legal_authenticator(header: CdaHeader) -> Iterator[Problem]:
    legal = header.legal_authenticator
    if legal is None:
        yield missing("legalAuthenticator", "legalAuthenticator", "le responsable du document")
        return
    path = "legalAuthenticator"
    if not legal.time:
        yield missing("legalAuthenticator-time", f"{path}/time/@value", "AAAAMMJJhhmmss±hhmm")
    else:
        # One published sample carries a zone of three digits.
        time_path = f"{path}/time/@value"
        yield from read_stamp("legalAuthenticator-time", time_path, legal.time, "warning")[1]
    if legal.signature != "S":
        message = f"signatureCode vaut « {legal.signature} »"
        yield finding(
            "legalAuthenticator-signatureCode", f"{path}/signatureCode/@code", message, "S"
        )
    yield from _professional("legalAuthenticator", f"{path}/assignedEntity", legal.entity)
