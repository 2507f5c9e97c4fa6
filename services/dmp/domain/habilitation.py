"""What a profession reads of a record, by class of document: a data file, the sandbox's own or the user's."""

from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict


class Habilitation(BaseModel):
    """`hidden` names, by profession, the classes that it does not read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    confidence: str
    hidden: dict[str, list[str]]

    def hidden_from(self, roles: tuple[str, ...]) -> tuple[str, ...]:
        """By the profession of a VIHF; a token tells none, hence hides nothing."""
        return tuple(self.hidden.get(roles[0], ())) if roles else ()


@lru_cache
def read_habilitation(file: Path | None) -> Habilitation:
    """Of a file, or the one beside this module. Raises ValueError for one of another form."""
    default = files(__package__).joinpath("habilitation.yaml")
    text = file.read_text(encoding="utf-8") if file else default.read_text(encoding="utf-8")
    return Habilitation.model_validate(yaml.safe_load(text))
