"""What the bodies of both searches share: elements with text, each as often as it may be there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lxml import etree

from services.ins.insi.faults import BODY_REFUSED, InsiFault
from socle.problems import Problem

MAX_PROBLEMS = 100


@dataclass(frozen=True)
class BodyForm:
    """`elements` are the known ones by name, with how often they may be there (0: any number)."""

    root: str
    namespace: str
    elements: Mapping[str, int]
    mandatory: tuple[str, ...]
    expected: str
    source: str

    @property
    def path(self) -> str:
        return f"/Envelope/Body/{self.root}"

    def read(
        self, elements: Iterable[etree._Element]
    ) -> tuple[dict[str, list[str]], list[Problem]]:
        """The texts by name, as they are written, and everything that is wrong with the form."""
        problems: list[Problem] = []
        values: dict[str, list[str]] = {name: [] for name in self.elements}
        for element in elements:
            name = str(element.tag).removeprefix(f"{{{self.namespace}}}")
            if name not in values:
                problems.append(
                    self.problem("INS-BODY-UNKNOWN", "an element that is not known", self.path)
                )
            elif len(element):
                problems.append(
                    self.problem("INS-BODY-TEXT", "it has children", f"{self.path}/{name}")
                )
            else:
                values[name].append(element.text or "")
        for name, found in values.items():
            problems += self._count(name, len(found))
        return values, problems

    def _count(self, name: str, count: int) -> list[Problem]:
        path, most = f"{self.path}/{name}", self.elements[name]
        if not count and name in self.mandatory:
            return [self.problem("INS-BODY-MISSING", "it is missing", path)]
        if most and count > most:
            return [self.problem("INS-BODY-DOUBLED", f"it is there {count} times", path)]
        return []

    def problem(self, rule: str, message: str, path: str) -> Problem:
        return Problem(rule, path, message, self.expected, source=self.source)


def refuse_if_any(problems: list[Problem], message_id: str) -> None:
    """One fault for all of them; a hostile body of thousands must not make a far larger answer."""
    if not problems:
        return
    if len(problems) > MAX_PROBLEMS:
        left = len(problems) - MAX_PROBLEMS
        more = Problem("INS-BODY-MORE", problems[-1].path, f"{left} problems more")
        problems = [*problems[:MAX_PROBLEMS], more]
    raise InsiFault(BODY_REFUSED, problems, message_id=message_id)
