"""`socle psc …`: clients, requests, sessions, faults and keys of a running Socle."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from socle.cli.control import AsJson, Control, Space, show
from socle.cli.psc_people import people
from socle.errors import Category, DomainError

clients = typer.Typer(help="Registered software of a space.", no_args_is_help=True)
requests = typer.Typer(help="Requests that wait for a phone or a card.", no_args_is_help=True)
sessions = typer.Typer(help="Open sessions of a space.", no_args_is_help=True)
faults = typer.Typer(help="Faults that a client must survive.", no_args_is_help=True)
keys = typer.Typer(help="Signing keys, of all spaces together.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    for name, group in {
        "people": people, "clients": clients, "requests": requests, "sessions": sessions,
        "faults": faults, "keys": keys,
    }.items():  # fmt: skip
        app.add_typer(group, name=name)


def _psc(space: str | None) -> Control:
    return Control("psc", space)


@clients.command("list")
def list_clients(space: Space = None, as_json: AsJson = False) -> None:
    """Lists the registered software."""
    columns = ("client_id", "name", "token_endpoint_auth_method", "redirect_uris", "pkce")
    show(_psc(space).call("GET", "/clients"), columns, as_json=as_json, empty="No client.")


@clients.command("add")
def add_client(
    client_id: str,
    redirect_uri: Annotated[list[str] | None, typer.Option(help="may be repeated")] = None,
    name: Annotated[str | None, typer.Option(help="what the login page shows")] = None,
    method: Annotated[str, typer.Option(help="how it authenticates")] = "client_secret_basic",
    jwks: Annotated[Path | None, typer.Option(exists=True, help="file of public keys")] = None,
    subject_dn: Annotated[str | None, typer.Option(help="of tls_client_auth")] = None,
    pkce: str = "optional",
    loopback: Annotated[bool, typer.Option(help="any http address of this machine")] = False,
    auto_approve: Annotated[bool, typer.Option(help="in the phone's place")] = False,
    space: Space = None,
) -> None:
    """Registers software, effective at once; prints its secret, this one time."""
    body: dict[str, Any] = {
        "client_id": client_id,
        "name": name or client_id,
        "redirect_uris": redirect_uri or [],
        "token_endpoint_auth_method": method,
        "pkce": pkce,
        "loopback": loopback,
        "auto_approve": auto_approve,
    }
    if jwks is not None:
        body["jwks"] = _json_of(jwks)
    if subject_dn is not None:
        body["tls_client_auth_subject_dn"] = subject_dn
    typer.echo(json.dumps(_psc(space).call("POST", "/clients", json=body), indent=2))


@clients.command("remove")
def remove_client(client_id: str, space: Space = None) -> None:
    """Removes software; its tokens end with it."""
    _psc(space).call("DELETE", f"/clients/{client_id}")


@requests.command("list")
def list_requests(
    person: Annotated[str | None, typer.Option(help="national identifier")] = None,
    everything: Annotated[bool, typer.Option("--all", help="answered ones, too")] = False,
    space: Space = None,
    as_json: AsJson = False,
) -> None:
    """Lists the requests that wait."""
    query = {"person": person} if person else {}
    if not everything:
        query["status"] = "pending"
    found = _psc(space).call("GET", "/requests", params=query)
    columns = ("id", "client_id", "person", "channel", "number", "status")
    show(found, columns, as_json=as_json, empty="No request waits.")


@requests.command()
def approve(
    request: str,
    number: Annotated[str | None, typer.Option(help="the two digits that the client shows")] = None,
    pin: Annotated[str | None, typer.Option(help="checked when it is given")] = None,
    space: Space = None,
) -> None:
    """Approves a request; without number and PIN, as if both were right."""
    entered = {name: value for name, value in {"number": number, "pin": pin}.items() if value}
    _answer(space, request, "approve", entered)


@requests.command()
def refuse(request: str, space: Space = None) -> None:
    """Refuses a request."""
    _answer(space, request, "refuse")


@requests.command("wrong-code")
def wrong_code(request: str, space: Space = None) -> None:
    """Chooses a wrong number; the third refuses the request."""
    _answer(space, request, "wrong-code")


@requests.command()
def expire(request: str, space: Space = None) -> None:
    """Lets a request expire."""
    _answer(space, request, "expire")


def _answer(
    space: str | None, request: str, answer: str, body: dict[str, str] | None = None
) -> None:
    told = _psc(space).call("POST", f"/requests/{request}/{answer}", json=body)
    left = f", {told['tries_left']} tries left" if told["tries_left"] else ""
    typer.echo(f"{told['outcome']}{left}")


@sessions.command("list")
def list_sessions(
    person: Annotated[str | None, typer.Option(help="national identifier")] = None,
    space: Space = None,
    as_json: AsJson = False,
) -> None:
    """Lists who is logged in."""
    query = {"person": person} if person else {}
    found = _psc(space).call("GET", "/sessions", params=query)
    columns = ("id", "person", "auth_mode", "started_at", "last_seen_at")
    show(found, columns, as_json=as_json, empty="Nobody is logged in.")


@sessions.command("close")
def close_sessions(
    session: Annotated[str | None, typer.Argument(help="its id (session_state)")] = None,
    person: Annotated[str | None, typer.Option(help="all sessions of this person")] = None,
    space: Space = None,
) -> None:
    """Ends one session, or those of a person."""
    if (session is None) == (person is None):
        raise typer.BadParameter("give either a session or --person")
    if session is not None:
        _psc(space).call("DELETE", f"/sessions/{session}")
        typer.echo("1 closed")
        return
    told = _psc(space).call("DELETE", "/sessions", params={"person": person})
    typer.echo(f"{told['closed']} closed")


@faults.command("list")
def list_faults(space: Space = None, as_json: AsJson = False) -> None:
    """Lists the rules in force."""
    found = Control("faults", space).call("GET", "")
    columns = ("id", "service", "path", "client", "person", "status", "effect", "value", "count")
    show(found, columns, as_json=as_json, empty="No fault is armed.")


@faults.command()
def arm(
    rules: Annotated[Path, typer.Argument(exists=True, help="JSON: a list of rules, or one")],
    space: Space = None,
) -> None:
    """Puts rules in force, in the place of all former ones."""
    read = _json_of(rules)
    armed = Control("faults", space).call(
        "PUT", "", json=read if isinstance(read, list) else [read]
    )
    typer.echo(f"{len(armed)} armed")


@faults.command()
def disarm(space: Space = None) -> None:
    """Ends every fault of the space."""
    Control("faults", space).call("PUT", "", json=[])


@keys.command()
def rotate(
    forget: Annotated[
        bool, typer.Option(help="withdraw the former keys at once: their tokens become invalid")
    ] = False,
) -> None:
    """Makes new signing keys."""
    published = _psc(None).call("POST", "/keys/rotate", json={"forget": forget})
    typer.echo(f"{len(published['keys'])} keys are published")


def _json_of(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise DomainError(
            Category.INCORRECT, "file_not_json", f"{path} is not JSON: {error}"
        ) from error
