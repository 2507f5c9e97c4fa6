"""Reads the dated file of CNDA tests (services/ins/data): what a client sends, what INSi answers."""

from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

FILE: Final = "cnda-scenarios-2026-11-27.yaml"


@cache
def scenarios() -> tuple[dict[str, Any], ...]:
    text = (files("services.ins") / "data" / FILE).read_text(encoding="utf-8")
    return tuple(yaml.safe_load(text)["scenarios"])
