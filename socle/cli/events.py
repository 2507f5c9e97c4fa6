"""`socle events`: looks at the log, and at the events that could not be processed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import orjson
import typer

from socle.errors import Category, DomainError
from socle.settings import Settings

if TYPE_CHECKING:
    from socle.db.database import Database

app = typer.Typer(help="The event log and its dead letters.", no_args_is_help=True)
dead_letters = typer.Typer(help="Events that could not be processed.", no_args_is_help=True)
app.add_typer(dead_letters, name="dlq")

# The schemas that have consumers, hence dead letters.
CONSUMERS = ("dmp", "usage")
Result = TypeVar("Result")


@app.command()
def tail(
    topic: Annotated[str, typer.Argument(help="for instance socle.dmp.documents")],
    after: Annotated[int, typer.Option(help="the first offset to show")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
) -> None:
    """Prints the events of a topic, one JSON object a line."""

    async def read(database: "Database") -> None:
        from socle.events.open_log import open_log

        log = open_log(local_settings(), database, client="socle-events")
        try:
            for stored in await log.read(topic, after, limit):
                typer.echo(stored.record.value.decode())
        finally:
            await log.close()

    _with_database(read)


@dead_letters.command("list")
def list_(
    replayed: Annotated[bool, typer.Option(help="show those sent again, too")] = False,
) -> None:
    """Lists dead letters, one JSON object a line."""

    async def read(database: "Database") -> None:
        from socle.events.dead_letters import list_dead_letters

        async with database.read() as session:
            for schema in CONSUMERS:
                for letter in await list_dead_letters(session, schema, replayed=replayed):
                    typer.echo(orjson.dumps({"service": schema, **letter.summary()}).decode())

    _with_database(read)


@dead_letters.command()
def show(service: str, number: int) -> None:
    """Shows a dead letter with the event itself."""

    async def read(database: "Database") -> None:
        from socle.events.dead_letters import get_dead_letter

        async with database.read() as session:
            letter = await get_dead_letter(session, _consumer(service), number)
        if letter is None:
            raise DomainError(
                Category.NOT_FOUND,
                "dead_letter_unknown",
                f"{service} holds no dead letter {number}.",
            )
        typer.echo(orjson.dumps(letter.summary(), option=orjson.OPT_INDENT_2).decode())
        typer.echo(letter.value.decode("utf-8", "backslashreplace"))

    _with_database(read)


@dead_letters.command("replay")
def replay_(service: str, number: int) -> None:
    """Sends a dead letter to its topic again; it is counted once, whatever happened before."""

    async def send(database: "Database") -> None:
        from socle.events.dead_letters import replay

        async with database.write() as session:
            await replay(session, _consumer(service), number)
        typer.echo(f"Dead letter {number} of {service} is on its way.")

    _with_database(send)


def _consumer(service: str) -> str:
    if service not in CONSUMERS:
        raise DomainError(
            Category.INCORRECT,
            "service",
            f"{service} consumes nothing; try {', '.join(CONSUMERS)}.",
        )
    return service


def local_settings() -> Settings:
    """The database of SOCLE_DATABASE_URL, or the one that `socle up` runs on this machine."""
    settings = Settings()
    if settings.database_url is None:
        from socle.embedded.postgres import EmbeddedPostgres

        server = EmbeddedPostgres(settings.home)
        if server.accepts_connections():
            settings = settings.model_copy(update={"database_url": server.url})
    return settings


def _with_database(work: "Callable[[Database], Awaitable[Result]]") -> Result:
    from socle.db.database import Database

    async def run() -> Result:
        database = Database(local_settings().require_database_url(), application="socle-events")
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())
