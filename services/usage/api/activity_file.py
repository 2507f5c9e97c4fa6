"""POST /usage/activity with a file, CSV or XLSX: read as it comes in, counted once all of it is known to
be good."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from typing import IO, Any, Final

from fastapi import Request
from msgspec.json import decode, encode
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from services.usage import sheets
from services.usage.api.act_in import ActIn
from services.usage.api.declaring import Declaring
from services.usage.api.inputs import refuse_if_any
from services.usage.domain.activity_file import (
    SOURCE,
    Header,
    Numbered,
    expected_of,
    find_header,
    read_record,
    records,
    split_lines,
)
from services.usage.domain.encodings import decoded, encoding_of
from services.usage.domain.facts import owner_of
from services.usage.events import ACTIVITY_DECLARED, activity_event
from services.usage.redeclared import contradiction, contradictions
from socle.errors import Category, DomainError
from socle.events.envelope import Event
from socle.kernel import Kernel
from socle.problems import Problem
from socle.spaces import Space

# What browsers and tools call such a file; which of the forms it is, its first bytes say.
MEDIA_TYPES: Final = frozenset(
    {"text/csv", "text/tab-separated-values", "application/vnd.ms-excel", sheets.MEDIA_TYPE}
)
FORM = "multipart/form-data"
LINES = 1000
"""Read at a time, in a thread of their own."""
MOST_TOLD = 1000
"""Bad lines of which each is told; the rest is counted."""
CHUNK = 1 << 16
IN_MEMORY = 1 << 20


@dataclass(frozen=True, slots=True)
class _File:
    """The whole of it in a temporary file, with what was found out of its form."""

    content: IO[bytes]
    encoding: str

    def records(self) -> Iterator[Numbered]:
        self.content.seek(0)
        return records(split_lines(decoded(_chunks(self.content), self.encoding)))


# The number of the line, the act of a good one, and what is wrong with a bad one.
_Line = tuple[int, dict[str, Any] | None, list[Problem]]


@dataclass(slots=True)
class _Judged:
    """`acts` are those of good lines, by owner and number: the line and a digest of what it says."""

    kept: IO[bytes]
    """The acts of good lines, one a line, so that nothing is read and checked a second time."""
    acts: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)
    repeated: int = 0
    found: list[Problem] = field(default_factory=list)
    more: int = 0

    def keep(self, data: dict[str, Any]) -> None:
        self.kept.write(encode(data) + b"\n")

    def tell(self, problems: list[Problem]) -> None:
        room = MOST_TOLD - len(self.found)
        self.found += problems[:room]
        self.more += len(problems[room:])


def is_file(media_type: str) -> bool:
    return media_type in MEDIA_TYPES or media_type == FORM


async def content_of(request: Request, media_type: str) -> AsyncIterator[bytes]:
    """The file, raw or as a form sends it."""
    if media_type != FORM:
        async for chunk in request.stream():
            yield chunk
        return
    async with request.form(max_files=1, max_fields=20) as form:
        files = [it for _, it in form.multi_items() if isinstance(it, UploadFile)]
        if len(files) != 1:
            raise DomainError(
                Category.INCORRECT, "file_missing", "Send one file, in a part named file."
            )
        while chunk := await files[0].read(CHUNK):
            yield chunk


def no_such_body(media_type: str) -> DomainError:
    """What is neither JSON nor called a file."""
    taken = ", ".join(("application/json", *sorted(MEDIA_TYPES), FORM))
    problem = Problem(
        "HTTP-CONTENT-TYPE", "/header/content-type",
        f"{media_type or 'nothing'} does not say what the body is", taken, source=SOURCE,
    )  # fmt: skip
    return DomainError(
        Category.INCORRECT,
        "invalid_request_body",
        "Nothing is counted: the body is no JSON, and its Content-Type names no file of acts.",
        problems=[problem],
    )


async def declare_file(
    chunks: AsyncIterator[bytes],
    kernel: Kernel,
    space: Space,
    declaring: Declaring,
    *,
    skip: bool,
) -> dict[str, Any]:
    """Read from a temporary file, and its acts kept in another one until all are known to be good: no
    transaction waits for a client, and nothing of the file is held in memory but the lines in hand."""
    with (
        tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as given,
        tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as unfolded,
        tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as kept,
    ):
        async for chunk in chunks:
            given.write(chunk)
        file = await asyncio.to_thread(_opened, given, unfolded)
        header, problems = find_header(file.records())
        refuse_if_any(problems)
        assert header is not None
        judged = await _judge(file, header, kernel, space, _Judged(kept))
        if not skip:
            refuse_if_any(judged.found, judged.more)
        if not judged.acts and not judged.found:
            raise DomainError(
                Category.INCORRECT,
                "file_empty",
                "The file holds no act: only a header, or nothing.",
            )
        await _declare(kernel, space, declaring, judged)
    return {
        "declared": len(judged.acts),
        "repeated": judged.repeated,
        "refused": [_told(problem) for problem in judged.found],
        "not_told": judged.more,
    }


def _opened(given: IO[bytes], unfolded: IO[bytes]) -> _File:
    given.seek(0)
    start = given.read(len(sheets.ZIP))
    given.seek(0)
    try:
        if start == sheets.OLE:
            raise sheets.UnreadableSheet(
                "a workbook of before 2007, or one with a password",
                "XLSX without a password, or CSV",
            )
        if start == sheets.ZIP:
            sheets.write_csv(given, unfolded)
            return _File(unfolded, "utf-8")
    except sheets.UnreadableSheet as error:
        refuse_if_any([error.problem])
    return _File(given, encoding_of(_chunks(given)))


async def _judge(
    file: _File, header: Header, kernel: Kernel, space: Space, judged: _Judged
) -> _Judged:
    """Every line; the second of two that say one act to be another thing is bad too."""
    async for lines in _batches(file, header):
        read = await asyncio.to_thread(_read, header, lines, kernel, space.name)
        for number, data, problems in await _with_contradictions(read, kernel, space.name):
            if problems:
                judged.tell(problems)
            elif data is not None:
                problems = _known(judged, number, data)
                judged.tell(problems)
                if not problems:
                    judged.keep(data)
    return judged


async def _with_contradictions(read: list[_Line], kernel: Kernel, space: str) -> list[_Line]:
    """A good line may still say of an act that is counted what cannot count any more."""
    good = [(number, data) for number, data, problems in read if data is not None and not problems]
    async with kernel.database.write() as session:
        differs = await contradictions(session, space, [data for _, data in good], among=False)
    bad = {number: it for (number, _), it in zip(good, differs, strict=True) if it}
    return [
        (number, data, [contradiction(f"/lines/{number}/act_id", bad[number])])
        if number in bad
        else (number, data, problems)
        for number, data, problems in read
    ]


def _known(judged: _Judged, number: int, data: dict[str, Any]) -> list[Problem]:
    """What an act names may be told in several lines; what it is may not (services/usage/README.md)."""
    key, said = _digests(data)
    first, before = judged.acts.setdefault(key, (number, said))
    if first == number:
        return []
    if said == before:
        judged.repeated += 1
        return []
    return [
        Problem(
            "CSV-CONTRADICTION", f"/lines/{number}/act_id",
            f"the act of line {first} again, with another date, domain, patient, professional or flag",
            "the same act in the same words, or a number of its own", source=SOURCE,
        )
    ]  # fmt: skip


def _digests(data: dict[str, Any]) -> tuple[bytes, bytes]:
    """Of which act it is, and of what a repetition must not change."""
    owner = owner_of(data["structure"] or "", data["professional"] or "")
    key = (data["kind"], owner, data["act_id"])
    said = (data["professional"], data["domain"], data["patient"], data["act_at"], data["flags"])
    return _digest(key), _digest(said)


def _digest(values: tuple[Any, ...]) -> bytes:
    return blake2b(repr(values).encode(), digest_size=12).digest()


async def _declare(kernel: Kernel, space: Space, declaring: Declaring, judged: _Judged) -> None:
    """All of it in one transaction."""
    judged.kept.seek(0)
    async with kernel.database.write() as session:
        while lines := list(islice(judged.kept, LINES)):
            await declaring.tell(session, [_declared(decode(line), space) for line in lines])


def _read(header: Header, lines: list[Numbered], kernel: Kernel, space: str) -> list[_Line]:
    read: list[_Line] = []
    for number, line in lines:
        fields, problems = read_record(header, number, line)
        data = None
        if fields is not None:
            told = {problem.path for problem in problems}
            try:
                data, found = ActIn.model_validate(fields).checked(
                    kernel, space, f"/lines/{number}"
                )
                problems += found
            except ValidationError as error:
                problems += [it for it in _faults(number, error) if it.path not in told]
        read.append((number, data, problems))
    return read


def _faults(number: int, error: ValidationError) -> Iterator[Problem]:
    for entry in error.errors(include_input=False, include_url=False):
        yield Problem(
            f"CSV-{entry['type'].upper().replace('_', '-')}",
            "/".join(["/lines", str(number), *map(str, entry["loc"])]),
            entry["msg"],
            expected_of(entry["loc"]),
            source=SOURCE,
        )


def _declared(data: dict[str, Any], space: Space) -> Event:
    return activity_event(ACTIVITY_DECLARED, space.name, data, space.now())


async def _batches(file: _File, header: Header) -> AsyncIterator[list[Numbered]]:
    """The records after the header, with the numbers of their first lines."""
    lines: list[Numbered] = []
    for number, line in file.records():
        if number > header.number:
            lines.append((number, line))
        if len(lines) == LINES:
            yield lines
            lines = []
    if lines:
        yield lines


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(CHUNK):
        yield chunk


def _told(problem: Problem) -> dict[str, str]:
    return {
        "rule": problem.rule,
        "path": problem.path,
        "message": problem.message,
        "expected": problem.expected,
    }
