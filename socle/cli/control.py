"""What the commands of the control plane share: calls to a running Socle, and what is shown of them."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from socle.errors import Category, DomainError
from socle.settings import Settings

if TYPE_CHECKING:
    import httpx

Space = Annotated[str | None, typer.Option(help="the space; the default one when left out")]
AsJson = Annotated[bool, typer.Option("--json", help="prints JSON, for other programs")]
SECONDS = 60.0


@dataclass(frozen=True)
class Control:
    """The control plane of one service and one space, through the gateway."""

    service: str
    space: str | None

    @property
    def url(self) -> str:
        base = Settings().public_url.rstrip("/")
        prefix = "" if self.space is None else f"/s/{self.space}"
        return f"{base}{prefix}/_sandbox/{self.service}"

    def call(self, method: str, path: str, **more: Any) -> Any:
        """The answer's JSON, or None. A refusal is raised as it was written."""
        with self.sent(method, path, **more) as answer:
            answer.read()
            return answer.json() if answer.content else None

    @contextmanager
    def sent(self, method: str, path: str, **more: Any) -> Iterator["httpx.Response"]:
        """An answer that is still to be read."""
        import httpx

        try:
            with (
                httpx.Client(timeout=httpx.Timeout(SECONDS, connect=5), trust_env=False) as client,
                client.stream(method, self.url + path, **more) as answer,
            ):
                if answer.is_error:
                    answer.read()
                    raise _refusal(answer)
                yield answer
        except httpx.TransportError as error:
            raise DomainError(
                Category.UNAVAILABLE,
                "socle_unreachable",
                f"{self.url} does not answer ({type(error).__name__}). Start Socle with `socle up`, "
                "or name the gateway in SOCLE_PUBLIC_URL.",
            ) from error


def _refusal(answer: "httpx.Response") -> DomainError:
    try:
        body = answer.json()
        lines = [str(body["detail"])]
        for problem in body.get("problems", []):
            expected = f" (expected: {problem['expected']})" if problem.get("expected") else ""
            lines.append(f"  {problem['path']}: {problem['message']}{expected}")
    except (ValueError, KeyError, TypeError):
        lines = [f"{answer.request.url} answered {answer.status_code}."]
    return DomainError(Category.INCORRECT, "refused", "\n".join(lines), status=answer.status_code)


def show(
    rows: Sequence[dict[str, Any]], columns: Sequence[str], *, as_json: bool, empty: str
) -> None:
    """A table for people, or one JSON document."""
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    if not rows:
        typer.echo(empty)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    # A pipe has no width of its own; 80 columns would fold the rows.
    Console(width=None if os.isatty(1) else 200).print(table)


def make_synthetic(
    control: Control, count: int, seed: int, per_call: int, **asked_too: bool
) -> None:
    """Some at a time; repeating the command after a failure makes the same people again."""
    stored = 0
    while stored < count:
        asked = {"seed": seed, "start": stored, "count": min(per_call, count - stored),
                 **asked_too}  # fmt: skip
        stored += control.call("POST", "/people/synthetic", json=asked)["stored"]
        progress(f"{stored} of {count} people")
    progress(f"{stored} people\n")


def progress(text: str) -> None:
    """Rewrites its line on a terminal; elsewhere only the last word is said."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{text}")
        sys.stderr.flush()
    elif text.endswith("\n"):
        sys.stderr.write(text)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return "" if value is None else str(value)
