"""Reads a mailbox out of the ContactPoint that a patch brings (API MSS guide, flux d'alimentation)."""

import re
from typing import Any, Final

from services.mss.annuaire.domain import systems
from services.mss.annuaire.domain.telecom import (
    ANSWERED_FOR,
    ATTACHED,
    DESCRIBED,
    PLACES,
    Listed,
)
from services.mss.domain.patient_rules import is_patients

ADDRESS: Final = re.compile(
    r"[a-z0-9._%+-]{1,64}@(([a-z0-9-]{1,63}\.){1,4}mssante\.fr|interop-mssante\.apicrypt\.org)"
)
"""The pattern of the OpenAPI document, with the characters that this service's mailboxes may have."""

MAX_TEXT: Final = 1000
_FORMER: Final = ("digitization", "phone")
"""In the data of the guide v2, but no more in the profile: passed over."""

_TEXTS: Final = ("description", "service", "responsible")
_HOLDERS: Final = {"description": DESCRIBED, "service": ATTACHED, "responsible": ANSWERED_FOR}


def read_contact_point(value: Any, kind: str) -> tuple[Listed | None, list[str]]:
    """The mailbox and what is wrong with it; `kind` is the resource that it is for."""
    if not isinstance(value, dict):
        return None, ["valueContactPoint is missing or no object"]
    problems: list[str] = []
    if value.get("system", "email") != "email":
        problems.append("system is not email")
    address = value.get("value")
    address = address.strip().lower() if isinstance(address, str) else ""
    if not ADDRESS.fullmatch(address):
        problems.append("value is no address of MSSanté (…@….mssante.fr)")
    elif is_patients(address):
        problems.append("patients are not in the directory")
    found: dict[str, Any] = {"rank": value.get("rank")}
    if found["rank"] is not None:
        problems += check("rank", found["rank"], "")
    for part in _metadata(value, problems):
        _read_part(part, found, problems)
    type_ = found.pop("type", None)
    if type_ not in PLACES[kind]:
        problems.append(f"the type of a mailbox of a {kind} is {' or '.join(PLACES[kind])}")
        return None, problems
    for name in _TEXTS:
        if found.get(name):
            problems += check(name, found[name], type_)
    red_listed = found.pop("listeRouge", False)
    if problems:
        return None, problems
    return Listed(address, type_, red_listed=red_listed, **found), []


def check(attribute: str, value: Any, type_: str) -> list[str]:
    """What is wrong with an attribute's value for a mailbox of this type."""
    if attribute == "rank":
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < 2**31:
            return ["rank is no number from 1"]
        return []
    if attribute == "listeRouge":
        return [] if isinstance(value, bool) else ["listeRouge is no boolean"]
    if not isinstance(value, str) or "\0" in value or len(value) > MAX_TEXT:
        return [f"{attribute} is no text of at most {MAX_TEXT} characters"]
    if value and type_ not in _HOLDERS[attribute]:
        return [f"a mailbox of type {type_} has no {attribute}"]
    return []


def type_of(value: Any) -> str:
    """A code, or a CodeableConcept of either system (R256 in the guide, R257 in the data)."""
    if isinstance(value, str):
        return value
    codings = value.get("coding") if isinstance(value, dict) else None
    for coding in codings if isinstance(codings, list) else []:
        if isinstance(coding, dict) and coding.get("system", systems.MAILBOX_TYPE) in (
            systems.MAILBOX_TYPE,
            systems.MESSAGING,
        ):
            return str(coding.get("code", ""))
    return ""


def _metadata(value: dict[str, Any], problems: list[str]) -> list[dict[str, Any]]:
    extensions = value.get("extension", [])
    if not isinstance(extensions, list) or not all(isinstance(one, dict) for one in extensions):
        problems.append("extension is no list of objects")
        return []
    for one in extensions:
        parts = one.get("extension", [])
        if one.get("url") == systems.MAILBOX_METADATA:
            if isinstance(parts, list) and all(isinstance(part, dict) for part in parts):
                return parts
            problems.append("as-ext-mailbox-mss-metadata is no list of objects")
    return []


def _read_part(part: dict[str, Any], found: dict[str, Any], problems: list[str]) -> None:
    name = part.get("url")
    if name == "type":
        found["type"] = type_of(part.get("valueCode") or part.get("valueCodeableConcept"))
    elif name == "listeRouge":
        problems += check(name, part.get("valueBoolean"), "")
        found[name] = part.get("valueBoolean") is True
    elif name in _TEXTS:
        text = part.get("valueString")
        if isinstance(text, str):
            found[str(name)] = text
        else:
            problems.append(f"{name} has no valueString")
    elif name not in _FORMER:
        problems.append(f"the metadata {str(name)[:40]!r} is not known")
