"""The SOAP headers of INSi: ContexteBAM, ContexteLPS and WS-Addressing (spec: ins.md §4.3)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from services.ins.insi.names import CTXBAM, CTXLPS, WSA
from socle.problems import Problem

SOURCE = "WSDL DESIR_ICIR_EXP 1.5.0"
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)
_UUID = re.compile(r"(?:urn:uuid:|uuid:)?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class Headers:
    """What was read; an absent value is empty, and `problems` says what is wrong."""

    action: str
    message_id: str
    idam: str
    bam: etree._Element | None
    problems: tuple[Problem, ...]


def read_headers(elements: Sequence[etree._Element], http_action: str = "") -> Headers:
    """`http_action` is the media type's: the WSDL declares no wsa:Action, so it may stand for it."""
    problems: list[Problem] = []
    bam = _single(elements, CTXBAM, "ContexteBAM", problems)
    lps = _single(elements, CTXLPS, "ContexteLPS", problems)
    action = _single(elements, WSA, "Action", problems, optional=bool(http_action))
    message_id = _single(elements, WSA, "MessageID", problems)
    if bam is not None:
        _check_bam(bam, problems)
    if lps is not None:
        _check_lps(lps, problems)
    for name, element in (("Action", action), ("MessageID", message_id)):
        if element is not None and not _text(element):
            problems.append(
                _problem("INS-HDR-EMPTY", f"/Envelope/Header/{name}", "it is empty", "a URI")
            )
    return Headers(
        _text(action) or http_action,
        _text(message_id),
        _value(lps, CTXLPS, "LPS/IDAM"),
        bam,
        tuple(problems),
    )


def _single(
    elements: Sequence[etree._Element],
    namespace: str,
    name: str,
    problems: list[Problem],
    *,
    optional: bool = False,
) -> etree._Element | None:
    """The header, if it is there once. Of two, neither is believed."""
    found = [element for element in elements if element.tag == f"{{{namespace}}}{name}"]
    path = f"/Envelope/Header/{name}"
    if len(found) == 1:
        return found[0]
    if found:
        problems.append(
            _problem("INS-HDR-DOUBLED", path, f"it is there {len(found)} times", "once")
        )
    elif not optional:
        problems.append(
            _problem("INS-HDR-MISSING", path, "it is missing", f"{{{namespace}}}{name}, once")
        )
    return None


def _check_bam(bam: etree._Element, problems: list[Problem]) -> None:
    path = "/Envelope/Header/ContexteBAM"
    _check_version(bam, path, "01_02", problems)
    _check_common(bam, CTXBAM, path, problems)
    # The element is mandatory and stays empty where no Vitale card was read.
    if bam.find(f"{{{CTXBAM}}}COUVERTURE") is None:
        problems.append(
            _problem("INS-HDR-BAM", f"{path}/COUVERTURE", "it is missing", "present, even empty")
        )


def _check_lps(lps: etree._Element, problems: list[Problem]) -> None:
    path = "/Envelope/Header/ContexteLPS"
    _check_version(lps, path, "01_00", problems)
    _check_common(lps, CTXLPS, path, problems)
    problems.extend(
        _problem("INS-HDR-LPS", f"{path}/LPS/{name}", "it is missing or empty", "a value")
        for name in ("IDAM", "Version", "Instance", "Nom")
        if not _value(lps, CTXLPS, f"LPS/{name}")
    )


def _check_version(
    element: etree._Element, path: str, version: str, problems: list[Problem]
) -> None:
    if element.get("Version") != version:
        problems.append(_problem("INS-HDR-VERSION", f"{path}/@Version", "another version", version))


def _check_common(
    element: etree._Element, namespace: str, path: str, problems: list[Problem]
) -> None:
    if not _UUID.fullmatch(_value(element, namespace, "Id")):
        problems.append(_problem("INS-HDR-ID", f"{path}/Id", "it is no UUID", "a UUID"))
    if not _DATE_TIME.fullmatch(_value(element, namespace, "Temps")):
        problems.append(
            _problem("INS-HDR-TIME", f"{path}/Temps", "it is no instant", "an xs:dateTime")
        )
    if not _value(element, namespace, "Emetteur"):
        problems.append(
            _problem("INS-HDR-SENDER", f"{path}/Emetteur", "it is missing or empty", "a value")
        )


def _value(element: etree._Element | None, namespace: str, path: str) -> str:
    if element is None:
        return ""
    steps = "/".join(f"{{{namespace}}}{step}" for step in path.split("/"))
    return _text(element.find(steps))


def _text(element: etree._Element | None) -> str:
    return "" if element is None else (element.text or "").strip()


def _problem(rule: str, path: str, message: str, expected: str) -> Problem:
    return Problem(rule, path, message, expected, source=SOURCE)
