"""Places of birth by their COG: communes in force, and countries for births abroad.

The list helps to name a place and to draw one; it refuses none, because people were born in
communes that are no more (the official test people in 2A020).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

import yaml

COMMUNES: Final = "communes-2026-03.csv"
SYNTHETIC: Final = "synthetic-2026-11-27.yaml"
ABROAD: Final = "99"
UNKNOWN: Final = "99999"

# Nobody is registered in the whole of a city that has arrondissements.
_DIVIDED: Final = frozenset({"75056", "13055", "69123"})


@dataclass(frozen=True, slots=True)
class Commune:
    cog: str
    name: str
    inhabitants: int


@cache
def communes() -> tuple[Commune, ...]:
    text = (files("services.ins") / "data" / COMMUNES).read_text(encoding="utf-8")
    rows = (line.split(";") for line in text.splitlines() if not line.startswith("#"))
    return tuple(Commune(cog, name, int(inhabitants)) for cog, name, inhabitants in rows)


@cache
def countries() -> Mapping[str, str]:
    text = (files("services.ins") / "data" / SYNTHETIC).read_text(encoding="utf-8")
    return MappingProxyType(yaml.safe_load(text)["countries"])


def places_of_birth() -> list[tuple[str, int]]:
    """COG and inhabitants of every commune that registers births."""
    return [(one.cog, one.inhabitants) for one in communes() if one.cog not in _DIVIDED]


@cache
def _names() -> Mapping[str, str]:
    return MappingProxyType({**{one.cog: one.name for one in communes()}, **countries()})


def name_of(cog: str) -> str:
    """The place's name; empty for one that the list does not know."""
    return _names().get(cog.upper(), "")
