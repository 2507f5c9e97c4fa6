"""`socle ins …`: whom INSi knows in a space of a running Socle."""

from typing import Annotated, Any

import typer

from socle.cli.control import AsJson, Control, Space, make_synthetic, show

PEOPLE_PER_CALL = 20_000
QUALIFIED_PER_CALL = 5_000

people = typer.Typer(help="Whom INSi knows in a space.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.add_typer(people, name="people")
    app.command("scenarios")(list_scenarios)


def list_scenarios(as_json: AsJson = False) -> None:
    """Lists the CNDA tests that can be replayed: what to send, and what is answered."""
    found = Control("ins", None).call("GET", "/scenarios")
    steps = [{**one, **step, "send": _sent(step), "answer": _answer(step)}
             for one in found for step in one["steps"]]  # fmt: skip
    show(steps, ("test", "title", "send", "answer"), as_json=as_json, empty="No scenario.")


def _sent(step: dict[str, Any]) -> str:
    if "traits" in step:
        return " ".join(step["traits"])
    return " ".join(f"{name}={value}" for name, value in step["card"].items())


def _answer(step: dict[str, Any]) -> str:
    return str(step.get("fault") or f"{step['cr']} {step.get('number', '')}".strip())


@people.command("list")
def list_people(
    family: Annotated[str, typer.Option(help="beginning of the family name")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    space: Space = None,
    as_json: AsJson = False,
) -> None:
    """Lists people by name."""
    asked = {"family_name": family, "limit": limit}
    found = Control("ins", space).call("GET", "/people", params=asked)
    rows = [{**one, **one["ins"]} for one in found]
    columns = ("family_name", "given_names", "sex", "birth_date", "birth_place", "matricule",
               "key", "oid", "cnda_tests")  # fmt: skip
    show(rows, columns, as_json=as_json, empty="Nobody.")


@people.command()
def synthetic(
    count: Annotated[int, typer.Argument(min=1, max=10_000_000)],
    seed: Annotated[int, typer.Option(min=0, max=1_000_000)] = 0,
    qualified: Annotated[
        bool, typer.Option("--qualified", help="with identities that DMP and MSS accept")
    ] = False,
    space: Space = None,
) -> None:
    """Adds people who do not exist; the same count and seed name the same people."""
    per_call = QUALIFIED_PER_CALL if qualified else PEOPLE_PER_CALL
    make_synthetic(Control("ins", space), count, seed, per_call, qualified=qualified)
