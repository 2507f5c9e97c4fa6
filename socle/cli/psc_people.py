"""`socle psc people …`: the directory of a space."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from socle.cli.control import AsJson, Control, Space, make_synthetic, progress, show

ROWS_PER_CALL = 5000
PEOPLE_PER_CALL = 10_000

people = typer.Typer(help="Test professionals of a space.", no_args_is_help=True)


@people.command("list")
def list_people(
    q: Annotated[str, typer.Option(help="beginning of a name or an identifier")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    space: Space = None,
    as_json: AsJson = False,
) -> None:
    """Lists people, in the order in which they came."""
    found = Control("psc", space).call("GET", "/people", params={"q": q, "limit": limit})
    columns = ("SubjectNameID", "family_name", "given_name", "label", "enabled")
    show(found, columns, as_json=as_json, empty="Nobody.")


@people.command("show")
def show_person(national_id: str, space: Space = None) -> None:
    """Prints one person, in PSC's own words."""
    found = Control("psc", space).call("GET", f"/people/{national_id}")
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2))


@people.command("import")
def import_people(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    skip_refused: Annotated[
        bool, typer.Option(help="import whoever has no problem in their lines")
    ] = False,
    space: Space = None,
) -> None:
    """Imports a RASS extraction (pipe-separated), some thousand lines at a time."""
    control, stored, problems = Control("psc", space), 0, 0
    with file.open("rb") as opened:
        for part in _parts(opened):
            answer = control.call(
                "POST", "/people/rass", content=part, params={"skip_refused": skip_refused}
            )
            stored += answer["stored"]
            problems += len(answer["problems"])
            progress(f"{stored} people imported")
    progress(f"{stored} people imported, {problems} problems\n")


def _parts(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The file in parts that each begin with its header; no person is cut in two, as long as the
    lines of one follow each other, which they do in the directory's own extractions."""
    header, part, person = next(iter(lines), b""), list[bytes](), b""
    for line in lines:
        current = b"|".join(line.split(b"|", 3)[:3])
        if len(part) >= ROWS_PER_CALL and current != person:
            yield header + b"".join(part)
            part = []
        part.append(line)
        person = current
    yield header + b"".join(part)


@people.command("export")
def export_people(
    file: Annotated[Path | None, typer.Argument(help="standard output when left out")] = None,
    space: Space = None,
) -> None:
    """Exports everyone as a RASS extraction."""
    with Control("psc", space).sent("GET", "/people/rass") as answer:
        if file is None:
            for chunk in answer.iter_bytes():
                sys.stdout.buffer.write(chunk)
            return
        partial = file.with_name(f".{file.name}.part")
        with partial.open("wb") as opened:
            for chunk in answer.iter_bytes():
                opened.write(chunk)
        partial.rename(file)


@people.command()
def synthetic(
    count: Annotated[int, typer.Argument(min=1, max=1_000_000)],
    seed: Annotated[int, typer.Option(min=0)] = 0,
    space: Space = None,
) -> None:
    """Adds people who do not exist; the same count and seed name the same people."""
    make_synthetic(Control("psc", space), count, seed, PEOPLE_PER_CALL)
