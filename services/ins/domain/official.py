"""Reads the dated file of official test people (services/ins/data)."""

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from services.ins.domain.person import Person, RegisteredIns
from socle.ids.ins import ins_key
from socle.ids.traits import Traits

FILE = "official-people-2026-11-26.yaml"


@cache
def official_people() -> tuple[Person, ...]:
    text = files("services.ins").joinpath("data", FILE).read_text(encoding="utf-8")
    return tuple(_person(entry) for entry in yaml.safe_load(text)["people"])


def _person(entry: dict[str, Any]) -> Person:
    return Person(
        traits=Traits(entry["family"], entry["given"], entry["sex"], entry["born"], entry["place"]),
        active=_ins(entry),
        history=tuple(_ins(former) for former in entry.get("history", ())),
        other_family_names=tuple(entry.get("also", ())),
        cnda_tests=tuple(entry["tests"]),
        insured=entry.get("insured", ""),
    )


def _ins(entry: dict[str, Any]) -> RegisteredIns:
    """A key that the file does not give was never published; it is computed."""
    return RegisteredIns(
        oid=entry["oid"],
        matricule=entry["number"],
        key=entry.get("key") or ins_key(entry["number"]),
        valid_from=entry.get("from", ""),
        valid_to=entry.get("to", ""),
    )


def official_keys() -> dict[tuple[str, str], str]:
    """The key with which each official number is printed, by (OID, matricule)."""
    return {
        (ins.oid, ins.matricule): ins.key
        for person in official_people()
        for ins in (person.active, *person.history)
    }
