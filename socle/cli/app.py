"""All commands of `socle`. Heavy imports stand inside the commands, so that --help is quick."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from socle.cli.ca import app as ca_app
from socle.cli.events import app as events_app
from socle.cli.ins import add_to as add_ins_commands
from socle.cli.psc import add_to as add_psc_commands
from socle.cli.usage import add_to as add_usage_commands
from socle.errors import DomainError
from socle.settings import MissingSettingError

app = typer.Typer(
    name="socle",
    help="A sandbox of France's national digital-health services.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(events_app, name="events")
app.add_typer(ca_app, name="ca")


@app.command()
def up() -> None:
    """Starts everything on this machine: PostgreSQL, the five services and the gateway."""
    from socle.cli.stack import run_stack

    raise typer.Exit(run_stack())


@app.command()
def migrate() -> None:
    """Brings the database in SOCLE_DATABASE_URL up to date."""
    from socle.cli.serve import run_migrations

    run_migrations()


@app.command()
def demo(
    document: Annotated[
        Path | None, typer.Option(help="deposit this CDA document instead of a generated one")
    ] = None,
    space: Annotated[
        str | None, typer.Option(help="the space to use; a new one by default")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="the gateway; SOCLE_PUBLIC_URL by default")
    ] = None,
) -> None:
    """Walks one document from the login of its author to the indicator that it moves."""
    from socle.demo.walk import run_demo

    raise typer.Exit(run_demo(document=document, space=space, url=url))


@app.command()
def gateway() -> None:
    """Serves the gateway."""
    from socle.cli.serve import serve_gateway

    serve_gateway()


def _add_service(name: str, workers: dict[str, str]) -> typer.Typer:
    service = typer.Typer(help=f"The {name.upper()} service and its workers.")

    @service.callback(invoke_without_command=True)
    def serve(context: typer.Context) -> None:
        if context.invoked_subcommand is None:
            from socle.cli.serve import serve_service

            serve_service(name)

    for worker, description in workers.items():
        service.command(worker, help=description)(_worker_command(name, worker))
    app.add_typer(service, name=name)
    return service


def _worker_command(service: str, worker: str) -> Callable[[], None]:
    def command() -> None:
        from socle.cli.serve import serve_worker

        serve_worker(service, worker)

    return command


_RELAY = {"relay": "Takes the service's outbox to the event log."}
_CONSUME = {"consume": "Applies the events that the service listens to."}
_MAIL = {
    "lint": "Holds each accepted mail against the rules of MSSanté.",
    "hl7": "Hands documents of HL7v2 over to the DMP, and delivers acknowledgements.",
    "purge": "Lets go of the texts of old messages that nothing holds any more.",
}
add_psc_commands(_add_service("psc", _RELAY))
_VERIFY = {"verify": "Goes through batches of verifications."}
add_ins_commands(_add_service("ins", _RELAY | _VERIFY))
_add_service("dmp", _RELAY | _CONSUME)
_add_service("mss", _RELAY | _CONSUME | _MAIL)
add_usage_commands(_add_service("usage", _RELAY | _CONSUME))


def main() -> None:
    try:
        app()
    except (MissingSettingError, DomainError) as error:
        detail = error.detail if isinstance(error, DomainError) else str(error)
        typer.secho(f"socle: {detail}", fg=typer.colors.RED, err=True)
        sys.exit(1)
