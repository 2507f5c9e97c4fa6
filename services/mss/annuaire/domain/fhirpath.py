"""The FHIRPath that the API MSS guide writes in patches, and no more of it.

    Practitioner.telecom.where(value = 'a@b.mssante.fr').extension('…').extension('listeRouge').value

Names, `[n]`, and the functions where(name = 'text'), extension('url'), ofType(type) and first().
"""

import re
from dataclasses import dataclass, field
from typing import Final

MAX_LENGTH: Final = 2000
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<name>[A-Za-z][A-Za-z0-9]*)|(?P<number>[0-9]{1,9})|'(?P<text>(?:[^'\\]|\\.)*)'"
    r"|(?P<mark>[.()\[\]=]))\s*"
)
_FUNCTIONS: Final = ("where", "extension", "ofType", "first")


class PathError(ValueError):
    """The message says what is not understood, for whoever wrote the path."""


@dataclass(frozen=True, slots=True)
class Step:
    """`where(name = 'text')` has both `argument` and `text`, `extension('url')` only the text."""

    name: str
    function: bool = False
    argument: str = ""
    text: str = field(default="", repr=False)
    index: int | None = None


def parse(path: str) -> list[Step]:
    if len(path) > MAX_LENGTH:
        raise PathError(f"the path is longer than {MAX_LENGTH} characters")
    reader = _Reader(_tokens(path))
    steps = [_step(reader)]
    while not reader.done:
        reader.mark(".")
        steps.append(_step(reader))
    return steps


Token = tuple[str, str]
"""Its kind and what it says."""


def _tokens(path: str) -> list[Token]:
    found, at = [], 0
    while at < len(path):
        match = _TOKEN.match(path, at)
        if match is None or match.lastgroup is None:
            raise PathError(f"the character {path[at]!r} at place {at + 1} is not understood")
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


class _Reader:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def done(self) -> bool:
        return self._at == len(self._tokens)

    def next_is(self, mark: str) -> bool:
        return not self.done and self._tokens[self._at] == ("mark", mark)

    def take(self, kind: str) -> str:
        if self.done or self._tokens[self._at][0] != kind:
            seen = "the end" if self.done else f"{self._tokens[self._at][1][:40]!r}"
            raise PathError(f"{seen} stands where a {kind} was expected")
        self._at += 1
        return self._tokens[self._at - 1][1]

    def mark(self, mark: str) -> None:
        if not self.next_is(mark):
            raise PathError(f"{mark!r} is missing")
        self._at += 1


def _step(reader: _Reader) -> Step:
    name = reader.take("name")
    if not reader.next_is("("):
        return Step(name, index=_index(reader))
    if name not in _FUNCTIONS:
        raise PathError(f"the function {name[:40]}() is not understood here")
    reader.mark("(")
    argument = text = ""
    if name == "where":
        argument = reader.take("name")
        reader.mark("=")
        text = _unescaped(reader.take("text"))
    elif name == "extension":
        text = _unescaped(reader.take("text"))
    elif name == "ofType":
        argument = reader.take("name")
    reader.mark(")")
    return Step(name, function=True, argument=argument, text=text, index=_index(reader))


def _index(reader: _Reader) -> int | None:
    if not reader.next_is("["):
        return None
    reader.mark("[")
    number = int(reader.take("number"))
    reader.mark("]")
    return number


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
