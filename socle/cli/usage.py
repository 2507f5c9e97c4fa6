"""`socle usage …`: counts anew."""

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import Annotated, cast

import typer

from socle.cli.events import local_settings
from socle.clock import monotonic


def add_to(app: typer.Typer) -> None:
    app.command("recount")(recount)


def fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """That of the services; None, which is Python's own, where there is none (Windows)."""
    try:
        return cast(
            "Callable[[], asyncio.AbstractEventLoop]", import_module("uvloop").new_event_loop
        )
    except ModuleNotFoundError:
        return None


def recount(
    check: Annotated[
        bool, typer.Option("--check", help="say what would change, and change nothing")
    ] = False,
) -> None:
    """Counts the whole event log anew, while counting goes on, and takes the place of what was counted."""
    from socle.db.database import Database
    from socle.events.open_log import open_log

    settings = local_settings()
    started = monotonic()

    def progress(doing: str, events: int) -> None:
        rate = events / max(monotonic() - started, 0.001)
        typer.echo(f"\r{doing:8} {events:,} events, {rate:,.0f} a second ", err=True, nl=False)

    async def run() -> None:
        database = Database(settings.require_database_url(), application="socle-usage-recount")
        log = open_log(settings, database, client="socle-usage-recount")
        try:
            work = import_module("services.usage.recount").Recount(database, log, progress)
            outcome = await work.run(check_only=check)
        finally:
            await log.close()
            await database.close()
        typer.echo("", err=True)
        typer.echo(
            f"{outcome.events:,} events were counted in {monotonic() - started:.1f} s;"
            f" {outcome.unreadable} could not be read (socle events dlq list);"
            f" {outcome.changed} daily sums {'would change' if check else 'have changed'}."
        )

    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        runner.run(run())
