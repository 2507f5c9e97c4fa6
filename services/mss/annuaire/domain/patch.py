"""FHIRPath Patch on the mailboxes of a resource: operations in their order, all or none.

Source: API MSS guide, flux d'alimentation (spec: mss.md §2); FHIR R4 §3.2.0.11.2, FHIRPath Patch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from services.mss.annuaire.domain import refusals
from services.mss.annuaire.domain.contact_points import check, read_contact_point, type_of
from services.mss.annuaire.domain.fhirpath import PathError
from services.mss.annuaire.domain.targets import ALL, WHOLE, Target, target_of
from services.mss.annuaire.domain.telecom import Listed
from socle.problems import Problem

TYPES: Final = ("replace", "insert", "delete")
MAX_OPERATIONS: Final = 100
_FIELDS: Final = {"listeRouge": "red_listed"}
_DEFAULTS: Final[dict[str, Any]] = {"rank": None, "listeRouge": False}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as it was sent; `value` is the value[x] with its name."""

    type: str
    path: str
    value: tuple[str, Any] | None


def read_operations(body: Any) -> tuple[list[Operation], list[Problem]]:
    parameters = body.get("parameter") if isinstance(body, dict) else None
    if (
        not isinstance(body, dict)
        or body.get("resourceType") != "Parameters"
        or not isinstance(parameters, list)
        or not parameters
    ):
        return [], [_problem("Parameters", "the body is no Parameters with operations")]
    if len(parameters) > MAX_OPERATIONS:
        return [], [_problem("Parameters", f"more than {MAX_OPERATIONS} operations")]
    operations, problems = [], []
    for number, parameter in enumerate(parameters):
        path = f"Parameters.parameter[{number}]"
        found = _operation(parameter)
        if isinstance(found, str):
            problems.append(_problem(path, found))
        else:
            operations.append(found)
    return operations, problems


def _operation(parameter: Any) -> Operation | str:
    if not isinstance(parameter, dict) or parameter.get("name") != "operation":
        return "it is not named operation"
    parts = parameter.get("part")
    named: dict[str, dict[str, Any]] = {
        str(part.get("name")): part
        for part in (parts if isinstance(parts, list) else [])
        if isinstance(part, dict)
    }
    type_, path = (
        named.get(name, {}).get(key, named.get(name, {}).get("valueString"))
        for name, key in (("type", "valueCode"), ("path", "valueString"))
    )
    if type_ not in TYPES:
        return f"the type of an operation is one of {', '.join(TYPES)}"
    if not isinstance(path, str):
        return "there is no path (valueString)"
    values = [item for item in named.get("value", {}).items() if item[0].startswith("value")]
    if type_ != "delete" and len(values) != 1:
        return "there is no value, or more than one"
    return Operation(type_, path, values[0] if values else None)


def patched(
    mailboxes: Sequence[Listed], others: int, kind: str, operations: Sequence[Operation]
) -> tuple[list[Listed], list[Problem]]:
    """The mailboxes afterwards. `others` is how many elements of telecom stand before them."""
    state, problems = list(mailboxes), []
    for number, operation in enumerate(operations):
        where = f"Parameters.parameter[{number}]"
        try:
            target = target_of(operation.path, kind)
            told = _APPLY[operation.type](state, others, kind, target, operation.value)
        except PathError as error:
            told = [str(error)]
        problems += [_problem(where, one) for one in told]
    return state, problems


Value = tuple[str, Any] | None


def _insert(
    state: list[Listed], _others: int, kind: str, target: Target, value: Value
) -> list[str]:
    """The same mailbox twice is one: whoever lost the answer sends the request again."""
    if target.attribute != ALL:
        return ["a mailbox is inserted into telecom"]
    mailbox, problems = read_contact_point(_of(value, "valueContactPoint"), kind)
    if mailbox is None:
        return problems
    for at, present in enumerate(state):
        if present.address == mailbox.address:
            if present.kind != mailbox.kind:
                return ["the type of a mailbox cannot be changed"]
            state[at] = replace(mailbox, label=present.label)
            return []
    state.append(mailbox)
    return []


def _delete(
    state: list[Listed], others: int, _kind: str, target: Target, _value: Value
) -> list[str]:
    """What is not there is gone already (FHIRPath Patch)."""
    if target.attribute == ALL:
        return ["which mailbox? choose it by where(value = '<address>')"]
    at = _find(state, others, target)
    if at is None:
        return []
    if target.attribute == WHOLE:
        del state[at]
        return []
    if target.attribute in ("value", "type", "system"):
        return [f"the {target.attribute} of a mailbox cannot be changed"]
    default = _DEFAULTS.get(target.attribute, "")
    state[at] = replace(state[at], **{_field(target.attribute): default})
    return []


def _replace(
    state: list[Listed], others: int, kind: str, target: Target, value: Value
) -> list[str]:
    if target.attribute == ALL:
        return ["which mailbox? choose it by where(value = '<address>')"]
    at = _find(state, others, target)
    if at is None:
        return ["the path leads to no mailbox of this resource"]
    present = state[at]
    if target.attribute == WHOLE:
        mailbox, problems = read_contact_point(_of(value, "valueContactPoint"), kind)
        if mailbox is None:
            return problems
        if (mailbox.address, mailbox.kind) != (present.address, present.kind):
            return ["the address and the type of a mailbox cannot be changed"]
        state[at] = replace(mailbox, label=present.label)
        return []
    return _replace_attribute(state, at, target.attribute, value)


def _replace_attribute(state: list[Listed], at: int, attribute: str, value: Value) -> list[str]:
    present, given = state[at], value[1] if value else None
    unchanged = {"value": present.address, "type": present.kind, "system": "email"}
    if attribute in unchanged:
        same = type_of(given) if attribute == "type" else given
        if same == unchanged[attribute]:
            return []
        return [f"the {attribute} of a mailbox cannot be changed"]
    problems = check(attribute, given, present.kind)
    if not problems:
        changes: dict[str, Any] = {_field(attribute): given}
        state[at] = replace(present, **changes)
    return problems


_APPLY: Final[dict[str, Callable[[list[Listed], int, str, Target, Value], list[str]]]] = {
    "insert": _insert,
    "delete": _delete,
    "replace": _replace,
}


def _find(state: list[Listed], others: int, target: Target) -> int | None:
    if target.address is not None:
        return next((at for at, m in enumerate(state) if m.address == target.address), None)
    at = (target.index or 0) - others
    return at if 0 <= at < len(state) else None


def _of(value: Value, name: str) -> Any:
    return value[1] if value and value[0] == name else None


def _field(attribute: str) -> str:
    return _FIELDS.get(attribute, attribute)


def _problem(path: str, message: str) -> Problem:
    return Problem("FHIR-PATCH", path, message, source=refusals.PATCH)
