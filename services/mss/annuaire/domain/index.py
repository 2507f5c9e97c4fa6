"""What is looked up of a resource: a number for each value of a token, texts beside it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from services.mss.annuaire.domain.entries import Json
from services.mss.annuaire.domain.parameters import PARAMETERS, Type
from socle.ids.traits import transliterate

HASHED = (Type.TOKEN, Type.URI, Type.REFERENCE)


@dataclass(frozen=True, slots=True)
class Index:
    tokens: tuple[int, ...]
    texts: tuple[tuple[str, str], ...] = field(repr=False)
    """Parameter and value."""


def index_of(space: str, kind: str, body: Json) -> Index:
    tokens: set[int] = set()
    texts: dict[tuple[str, str], None] = {}
    for name, parameter in PARAMETERS[kind].items():
        if parameter.values is None:
            continue
        for system, code in parameter.values(body):
            tokens.add(_remembered(space, kind, name, None, None))
            if parameter.type is Type.STRING:
                texts[name, code] = None
            else:
                tokens.update(_forms(space, kind, name, parameter.type, system, code))
    tokens.update(_typed_identifiers(space, kind, body))
    return Index(tuple(tokens), tuple(texts))


def folded(text: str) -> str:
    """Case and diacritics do not count in a string search (FHIR R4 §3.1.1.4.8)."""
    return transliterate(text)


def key(space: str, kind: str, name: str, system: str | None, code: str | None) -> int:
    """Of one way to ask for a value: with its system ("" for one without), or with None for any.

    A number instead of these texts: the index is a tenth of the size, and an answer from another
    space or parameter would take a collision of 64 bits.
    """
    form = "\0".join((space, kind, name, *("*" if x is None else f"={x}" for x in (system, code))))
    digest = hashlib.blake2b(form.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


# For what is loaded, where codes repeat. What callers search is not remembered: it may be anything.
_remembered = lru_cache(maxsize=50_000)(key)


def present(space: str, kind: str, name: str) -> int:
    return key(space, kind, name, None, None)


def of_type(space: str, kind: str, system: str | None, code: str, value: str) -> int:
    return key(space, kind, f"identifier:of-type:{code}", system, value)


def _forms(space: str, kind: str, name: str, type_: Type, system: str, code: str) -> Iterator[int]:
    if type_ is Type.TOKEN:
        yield _remembered(space, kind, name, system, code)
        yield _remembered(space, kind, name, system, None)
    yield _remembered(space, kind, name, None, code)


def _typed_identifiers(space: str, kind: str, body: Json) -> Iterator[int]:
    for one in body.get("identifier", ()):
        for coding in one.get("type", {}).get("coding", ()):
            for system in (coding["system"], None):
                yield of_type(space, kind, system, coding["code"], one["value"])
