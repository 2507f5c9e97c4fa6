"""The published schemas and examples of events."""

from importlib import resources
from typing import Any

import orjson
from jsonschema import Draft202012Validator, FormatChecker

_FOLDER = resources.files("socle.events")


def published(kind: str) -> dict[str, Any]:
    """Content of `schemas` or `examples`, by event type."""
    return {
        file.name.removesuffix(".json"): orjson.loads(file.read_bytes())
        for file in (_FOLDER / kind).iterdir()
        if file.name.endswith(".json")
    }


SCHEMAS = published("schemas")
EXAMPLES: dict[str, list[dict[str, Any]]] = published("examples")


def faults(event_type: str, data: Any) -> list[str]:
    validator = Draft202012Validator(SCHEMAS[event_type], format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(data)]
