"""What a path of a patch points at: a mailbox of the resource, or one of its attributes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.mss.annuaire.domain import systems
from services.mss.annuaire.domain.fhirpath import PathError, Step, parse

METADATA = ("type", "description", "service", "responsible", "listeRouge")
WHOLE = ""
ALL = "telecom"


@dataclass(frozen=True, slots=True)
class Target:
    """`attribute` is WHOLE, `rank`, `value` or one of METADATA; ALL is the list itself, to insert into.

    The mailbox is named by its address, or by its place among all of `telecom`.
    """

    attribute: str
    address: str | None = field(default=None, repr=False)
    index: int | None = None


def target_of(path: str, kind: str) -> Target:
    """Raises a PathError for what is no path to a mailbox of a resource of this kind."""
    steps = parse(path)
    if steps[0] == Step(kind):
        steps = steps[1:]
    elif steps[0].name in systems.KINDS:
        raise PathError(f"the path is of a {steps[0].name}, the resource is a {kind}")
    if not steps or steps[0].name != "telecom" or steps[0].function:
        raise PathError("only telecom, the mailboxes, can be written")
    address, index = None, steps[0].index
    rest = steps[1:]
    if rest and rest[0].name == "where":
        if rest[0].argument != "value":
            raise PathError("a mailbox is chosen by where(value = '<address>')")
        address, rest = rest[0].text.strip().lower(), rest[1:]
    if rest and rest[0] == Step("first", function=True):
        index, rest = 0 if address is None else None, rest[1:]
    if address is None and index is None:
        if rest:
            raise PathError("which mailbox? choose it by where(value = '<address>')")
        return Target(ALL)
    return Target(_attribute(rest), address, index if address is None else None)


def _attribute(steps: Sequence[Step]) -> str:
    if not steps:
        return WHOLE
    if len(steps) == 1 and steps[0] in (Step("rank"), Step("value"), Step("system")):
        return steps[0].name
    urls, rest = [], list(steps)
    while rest and rest[0].name == "extension":
        url, rest = _url(rest)
        urls.append(url)
    if rest and rest[-1].name == "ofType" and rest[-1].function:
        rest = rest[:-1]
    is_value = not rest or (len(rest) == 1 and rest[0].name.startswith("value"))
    if len(urls) == 2 and urls[0] == systems.MAILBOX_METADATA and urls[1] in METADATA and is_value:
        return urls[1]
    raise PathError(
        f"of a mailbox only rank and, in the extension as-ext-mailbox-mss-metadata,"
        f" {', '.join(METADATA[1:])} can be written"
    )


def _url(steps: list[Step]) -> tuple[str, list[Step]]:
    """`extension('url')` or `extension.where(url = 'url')`."""
    first = steps[0]
    if first.function:
        return first.text, steps[1:]
    if len(steps) > 1 and steps[1].name == "where" and steps[1].argument == "url":
        return steps[1].text, steps[2:]
    raise PathError("an extension is chosen by extension('<url>')")
