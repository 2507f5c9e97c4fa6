"""The faults of INSi: codes, severities and the exact form (spec: ins.md §4.7).

Five codes are confirmed by recorded answers: siram_100, siram_40, desir_550, desir_560 and
insi_102. The rest of the official table is not public, so what has no confirmed code is
refused under a `socle_` code, which no client can mistake for an official one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree
from starlette.responses import Response

from services.ins.insi.names import SIRAM, SOAP, SOCLE_ERROR
from socle.errors import Category, DomainError
from socle.http.render import SOAP_12, Renderer
from socle.problems import Problem


@dataclass(frozen=True, slots=True)
class FaultKind:
    role: str
    subcode: str
    code: str
    severity: str
    reason: str
    text: str
    language: str = "fr"


_ACCESS = "L'accès par ce progiciel au service n'est pas autorisé."
_REQUEST = "La requête n'est pas conforme au contrat du service."
SOFTWARE_UNKNOWN = FaultKind(
    "Sender",
    "siram_100",
    "desir_550",
    "erreur",
    _ACCESS,
    "Numéro d'autorisation du logiciel inconnu.",
)
# The subcode of desir_560 was not recorded; that of its neighbour is used.
NOT_ENTITLED = FaultKind(
    "Sender",
    "siram_100",
    "desir_560",
    "erreur",
    _ACCESS,
    "Vous ne disposez pas des droits suffisants pour accéder à ce service",
)
# "fatal" is what the server sends, although the schema says "fatale".
TECHNICAL = FaultKind(
    "Receiver",
    "siram_40",
    "insi_102",
    "fatal",
    "Le service est temporairement inaccessible.",
    "L'appel au service de recherche avec les traits d'identité renvoie une erreur technique.",
    "en",
)
XML_REFUSED = FaultKind(
    "Sender", "socle_requete", "socle_xml", "erreur", _REQUEST, "Le message XML est refusé."
)
HEADERS_REFUSED = FaultKind(
    "Sender",
    "socle_requete",
    "socle_entetes",
    "erreur",
    _REQUEST,
    "Un en-tête SOAP manque, est répété ou n'est pas conforme.",
)
ASSERTION_REFUSED = FaultKind(
    "Sender",
    "socle_requete",
    "socle_assertion",
    "erreur",
    _REQUEST,
    "L'assertion du professionnel n'est pas conforme.",
)
ACTION_REFUSED = FaultKind(
    "Sender",
    "socle_requete",
    "socle_action",
    "erreur",
    _REQUEST,
    "L'action demandée n'est pas servie ici, ou ne correspond pas au corps du message.",
)
BODY_REFUSED = FaultKind(
    "Sender",
    "socle_requete",
    "socle_corps",
    "erreur",
    _REQUEST,
    "Les critères de recherche ne sont pas conformes.",
)


class InsiFault(DomainError):
    """A refusal with its official form; `message_id` is echoed when the request had one."""

    def __init__(
        self,
        kind: FaultKind,
        problems: Sequence[Problem] = (),
        *,
        message_id: str = "",
        category: Category = Category.INCORRECT,
    ) -> None:
        super().__init__(category, kind.code, kind.text, problems=problems)
        self.kind = kind
        self.message_id = message_id


def fault_renderer(prefix: str) -> Renderer:
    """INSi has answered with `soap:` and with `S:`; the setting chooses."""

    def render(error: DomainError, _correlation_id: str) -> Response:
        # A fault travels with 500, as recorded; what HTTP itself refuses keeps its status.
        status = error.status if error.status in (405, 413, 503) else 500
        headers = {**error.headers, "Content-Type": SOAP_12}
        return Response(fault_bytes(error, prefix), status, headers)

    return render


def fault_bytes(error: DomainError, prefix: str) -> bytes:
    kind = _kind_of(error)
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={prefix: SOAP})
    fault = _child(_child(envelope, "Body"), "Fault")
    code = _child(fault, "Code")
    _child(code, "Value").text = f"{prefix}:{kind.role}"
    _child(_child(code, "Subcode"), "Value").text = f"{prefix}:{kind.subcode}"
    reason = _child(_child(fault, "Reason"), "Text")
    reason.set("{http://www.w3.org/XML/1998/namespace}lang", kind.language)
    reason.text = kind.reason
    detail = _child(fault, "Detail")
    _add_detail(detail, kind, error)
    return etree.tostring(envelope, encoding="UTF-8", xml_declaration=True)


def _add_detail(detail: etree._Element, kind: FaultKind, error: DomainError) -> None:
    erreur = etree.SubElement(detail, f"{{{SIRAM}}}Erreur", nsmap={"siram": SIRAM})
    erreur.set("code", kind.code)
    if isinstance(error, InsiFault) and error.message_id:
        erreur.set("messageID", error.message_id)
    erreur.set("severite", kind.severity)
    erreur.text = kind.text
    for problem in error.problems:
        # Beside the official element, never inside: a client reads siram:Erreur as it always did.
        found = etree.SubElement(detail, f"{{{SOCLE_ERROR}}}problem", nsmap={"socle": SOCLE_ERROR})
        for name in ("rule", "path", "expected", "source"):
            if value := getattr(problem, name):
                found.set(name, value)
        found.text = problem.message


def _kind_of(error: DomainError) -> FaultKind:
    if isinstance(error, InsiFault):
        return error.kind
    if error.mapped.soap == "Receiver":
        return TECHNICAL
    if error.category in (Category.UNAUTHENTICATED, Category.FORBIDDEN):
        return NOT_ENTITLED
    return FaultKind(
        "Sender", "socle_requete", f"socle_{error.code}", "erreur", _REQUEST, error.detail
    )


def _child(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{SOAP}}}{name}")
