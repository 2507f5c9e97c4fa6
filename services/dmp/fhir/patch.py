"""What a PATCH of a DocumentReference asks for: by JSON Patch, or by FHIRPath Patch.

Source: PDSm 3.1.1 flow 03 (only status, securityLabel and isArchived change, anything else is 405),
PDSm4DMP TD3.3a to d, RFC 6902, FHIR R4 §3.1.0.7. The guide writes TD3.3d with the path
`/extension[url:'…']/valueBoolean`, which is no JSON pointer (spec: dmp.md §3.5): it is read all the
same, as what it means.
"""

import re
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

import jsonpatch
import jsonpointer

from services.dmp.domain.visibility import CODES
from services.dmp.fhir.access import codings, items, mapping, text
from services.dmp.fhir.resources import IS_ARCHIVED
from socle.errors import Category, DomainError
from socle.problems import Problem

SOURCE: Final = "PDSm 3.1.1 flow 03; PDSm4DMP TD3.3"
PATCHABLE: Final = ("status", "securityLabel", "extension")
MAX_OPERATIONS: Final = 64

_OPERATIONS: Final = ("add", "replace", "remove", "test")  # copy and move could grow without end
_NAMED_EXTENSION: Final = re.compile(r"/extension\[url:'([^']*)'\]/valueBoolean")

Operation = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Patched:
    """What the document shall be: `codes` are those of securityLabel, as they were written."""

    status: str
    is_archived: bool
    codes: tuple[str, ...]


def apply_patch(resource: dict[str, Any], operations: Sequence[Operation]) -> Patched:
    """Raises a DomainError: 405 for what may not change, 422 for what cannot be done."""
    read = [_checked(resource, one, f"[{index}]") for index, one in enumerate(operations)]
    try:
        patched = jsonpatch.apply_patch(deepcopy(resource), read)
    except jsonpatch.JsonPatchTestFailed as error:
        raise _refused("PDSM-PATCH-TEST", "test", f"a test failed: {str(error)[:120]}") from error
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException) as error:
        raise _refused("PDSM-PATCH-APPLY", "path", str(error)[:160]) from error
    others = [
        one for one in items(patched.get("extension")) if mapping(one).get("url") != IS_ARCHIVED
    ]
    kept = [one for one in items(resource.get("extension")) if one["url"] != IS_ARCHIVED]
    if others != kept or not isinstance(patched.get("extension", []), list):
        raise _not_allowed("extension", "only pdsm-ext-is-archived may change")
    return Patched(
        text(patched.get("status")), _archived(patched), _codes(patched.get("securityLabel"))
    )


def read_json_patch(value: Any) -> list[Operation]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise _refused("PDSM-PATCH-FORM", "", "the body is no array of operations", status=400)
    if len(value) > MAX_OPERATIONS:
        raise _refused("PDSM-PATCH-FORM", "", f"{len(value)} operations", status=400)
    return value


def _checked(resource: dict[str, Any], operation: Operation, where: str) -> Operation:
    kind, path = operation.get("op"), operation.get("path")
    if kind not in _OPERATIONS:
        raise _refused("PDSM-PATCH-OP", f"{where}/op", f"op is {str(kind)[:20]}", status=400)
    if not isinstance(path, str):
        raise _refused("PDSM-PATCH-PATH", f"{where}/path", "there is no path", status=400)
    if named := _NAMED_EXTENSION.fullmatch(path):
        return _on_extension(resource, operation, named[1])
    name = path.removeprefix("/").partition("/")[0].partition("[")[0]
    if kind != "test" and name not in PATCHABLE:
        raise _not_allowed(name or "the whole resource", f"{', '.join(PATCHABLE)} (is-archived)")
    return operation


def _on_extension(resource: dict[str, Any], operation: Operation, url: str) -> Operation:
    if url != IS_ARCHIVED and not url.endswith("is-archived"):
        raise _not_allowed("extension", f"only {IS_ARCHIVED} may change")
    found = [mapping(one).get("url") for one in items(resource.get("extension"))]
    return {**operation, "path": f"/extension/{found.index(IS_ARCHIVED)}/valueBoolean"}


def _archived(resource: dict[str, Any]) -> bool:
    values = [
        one.get("valueBoolean")
        for one in map(mapping, items(resource.get("extension")))
        if one.get("url") == IS_ARCHIVED
    ]
    if not all(isinstance(value, bool) for value in values) or len(values) > 1:
        raise _refused("PDSM-PATCH-ARCHIVED", "extension", "isArchived is no boolean, or is twice")
    return values == [True]


def _codes(labels: Any) -> tuple[str, ...]:
    found = tuple(code for label in items(labels) for _, code in codings(label))
    unknown = [code for code in found if code not in CODES]
    if unknown or not isinstance(labels, list) or len(found) < len(labels):
        raise _refused(
            "PDSM-PATCH-LABEL",
            "securityLabel",
            f"{unknown[0][:40] or 'a label without code'} is not in the value set"
            if unknown
            else "it is no list of concepts, or one has no code",
            f"{', '.join(CODES)} (JDV_J58)",
        )
    return found


# FHIRPath Patch: https://hl7.org/fhir/R4/fhirpatch.html

_PATH: Final = re.compile(
    r"DocumentReference\.(?:(?P<status>status)"
    r"|securityLabel(?:\[(?P<index>[0-9]{1,3})\]"
    r"|\.where\(coding\.(?:where\()?code ?= ?'(?P<code>[A-Z_]{1,40})'\)?(?:\.exists\(\))?\))?"
    r"|extension(?:\('(?P<named>[^']*)'\)|\.where\(url ?= ?'(?P<url>[^']*)'\))"
    r"\.value(?:Boolean|\[x\])?)"
)


def read_parameters(value: Any, resource: dict[str, Any]) -> list[Operation]:
    """FHIRPath Patch as JSON Patch, for the few elements that may change."""
    if mapping(value).get("resourceType") != "Parameters":
        raise _refused("PDSM-PATCH-FORM", "", "the body is no Parameters resource", status=400)
    found = []
    for index, parameter in enumerate(items(mapping(value).get("parameter"))[:MAX_OPERATIONS]):
        parts: dict[str, Any] = {}
        for part in map(mapping, items(mapping(parameter).get("part"))):
            given = next((it for key, it in part.items() if key.startswith("value")), None)
            parts[text(part.get("name"))] = given
        found.append(_from_fhirpath(resource, parts, f"Parameters.parameter[{index}]"))
    if not found:
        raise _refused("PDSM-PATCH-FORM", "Parameters.parameter", "no operation", status=400)
    return found


def _from_fhirpath(resource: dict[str, Any], parts: dict[str, Any], where: str) -> Operation:
    kind, path, value = text(parts.get("type")), text(parts.get("path")), parts.get("value")
    if kind == "add" and path == "DocumentReference":
        name = text(parts.get("name"))
        pointer = {"securityLabel": "/securityLabel/-", "extension": "/extension/-"}.get(name)
        if pointer is None:
            raise _not_allowed(name, "securityLabel may be added")
        return {"op": "add", "path": pointer, "value": value}
    if kind == "insert" and path == "DocumentReference.securityLabel":
        index = parts.get("index")
        if type(index) is not int or index < 0:  # and no boolean
            raise _refused("PDSM-PATCH-PATH", f"{where}.index", "it is no place", "0 for the first")
        return {"op": "add", "path": f"/securityLabel/{index}", "value": value}
    match = _PATH.fullmatch(path)
    if match is None:
        raise _not_allowed(path.removeprefix("DocumentReference."), ", ".join(PATCHABLE))
    operation = {"replace": "replace", "delete": "remove"}.get(kind)
    if operation is None:
        raise _refused(
            "PDSM-PATCH-OP", where, f"type is {kind[:20]}", "replace, delete, add, insert"
        )
    if match["status"]:
        pointer = "/status"
    elif url := match["named"] or match["url"]:
        return _on_extension(resource, {"op": operation, "value": value}, url)
    else:
        pointer = f"/securityLabel/{_label(resource, match, where)}"
    return {"op": operation, "path": pointer, "value": value}


def _label(resource: dict[str, Any], match: re.Match[str], where: str) -> int:
    """FHIRPath Patch changes one element: a path that names several is refused."""
    if match["index"]:
        return int(match["index"])
    labels = items(resource.get("securityLabel"))
    named = [
        index
        for index, label in enumerate(labels)
        if match["code"] is None or match["code"] in {code for _, code in codings(label)}
    ]
    if len(named) != 1:
        raise _refused(
            "PDSM-PATCH-PATH", f"{where}.path", f"it names {len(named)} labels", "one label"
        )
    return named[0]


def _not_allowed(name: str, expected: str) -> DomainError:
    return DomainError(
        Category.METHOD_NOT_ALLOWED,
        "element_not_patchable",
        f"{name[:60]} cannot be changed; only status, securityLabel and isArchived can.",
        problems=[
            Problem(
                "PDSM-PATCH-ELEMENT",
                f"DocumentReference.{name[:60]}",
                "this element cannot be changed",
                expected,
                source=SOURCE,
            )
        ],
    )


def _refused(
    rule: str, path: str, message: str, expected: str = "", status: int | None = None
) -> DomainError:
    return DomainError(
        Category.UNPROCESSABLE if status is None else Category.INCORRECT,
        "patch_refused",
        f"The patch cannot be applied: {message}.",
        problems=[Problem(rule, path, message, expected, source=SOURCE)],
        status=status,
    )
