"""The rule files: every number with its source, and nothing loose is accepted."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from services.usage.domain.rules import RULES_FOLDER, load, sun_es

FILES = sorted(RULES_FOLDER.glob("*.yaml"))


def sourced(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping that states a number, a period or what is counted, with its place in the file."""
    if isinstance(value, dict):
        if value.keys() & {"value", "from", "wording", "question"}:
            yield path, value
        for name, inner in value.items():
            yield from sourced(inner, f"{path}/{name}")


@pytest.fixture
def sun() -> dict[str, Any]:
    raw: dict[str, Any] = yaml.safe_load((RULES_FOLDER / "sun-es-volet-1.yaml").read_text("utf-8"))
    return raw


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[[Any], Any]:
    def write_and_load(raw: Any) -> Any:
        path = tmp_path / "rules.yaml"
        path.write_text(raw if isinstance(raw, str) else yaml.safe_dump(raw), "utf-8")
        return load(path)

    return write_and_load


def _software() -> dict[str, Any]:
    return {"couloirs": ["hopital"], "source": "a test", "confidence": "assumed"}


class TestFiles:
    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
    def test_give_the_source_and_the_confidence_of_every_number(self, path: Path) -> None:
        found = list(sourced(yaml.safe_load(path.read_text("utf-8"))))

        assert found
        for where, part in found:
            for number in part.get("alternatives", {"": part}).values():
                assert number.get("source", "").strip(), where
                assert number.get("confidence") in ("seed", "source", "memory", "assumed"), where
            if "value" in part:
                assert {"unit", "valid_from", "valid_to"} <= part.keys(), where

    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
    def test_load(self, path: Path) -> None:
        assert load(path).indicators

    def test_state_the_targets_of_the_brochure_for_su4(self) -> None:
        targets = sun_es().indicators["SU4"].targets
        assert {name: target.value for name, target in targets.items()} == {
            "F1": 45, "F2": 54, "F3": 59, "F4": 63,
        }  # fmt: skip


class TestStrictness:
    @pytest.mark.parametrize("key", ["source", "confidence"])
    def test_refuses_a_target_without_it(
        self, sun: dict[str, Any], loaded: Callable[[Any], Any], key: str
    ) -> None:
        del sun["indicators"]["SU4"]["targets"]["F1"][key]
        with pytest.raises(ValidationError, match=key):
            loaded(sun)

    @pytest.mark.parametrize(
        "breaking",
        [
            lambda raw: raw.update(unknown=1),
            lambda raw: raw.pop("windows"),
            lambda raw: raw["windows"]["F1"].pop("to"),
            lambda raw: raw["windows"]["F1"].update(to="soon"),
            lambda raw: raw["windows"].pop("F4"),
            lambda raw: raw["indicators"]["SU4"]["targets"]["F1"].update(value="many"),
            lambda raw: raw["indicators"]["SU4"]["targets"]["F1"].update(confidence="sure"),
            lambda raw: raw["indicators"]["SU4"]["targets"]["F1"].update(value=45.5),
            lambda raw: raw["indicators"]["SU4"]["targets"]["F1"].update(value=-1),
            lambda raw: raw["indicators"]["SU4"]["targets"]["F1"].pop("valid_to"),
            lambda raw: raw["indicators"]["SU4"]["targets"]["F1"].update(valid_to="2022-01-01"),
            lambda raw: raw["indicators"]["SU4"]["numerator"]["measure"].update(levels=["N2"]),
            lambda raw: raw["indicators"]["SU4"]["numerator"]["measure"].update(ins="some"),
            lambda raw: raw["indicators"]["SU4"].update(group="pharmacy"),
            lambda raw: raw["indicators"]["SU4"].pop("denominator"),
            lambda raw: raw["money"]["rates"].pop("F4"),
            lambda raw: raw["money"]["rates"]["F4"].update(valid_to="2023-07-01"),
            lambda raw: raw["indicators"]["SU4"]["targets"]["F2"].update(valid_from="2022-08-01"),
            lambda raw: raw["money"]["cap"].update(valid_to="2023-01-01"),
            lambda raw: raw["indicators"]["SU4"]["targets"]["F2"].update(value="100.5"),
            lambda raw: raw["indicators"]["SU4"]["targets"]["F2"].update(value=54, unit="ratio"),
            lambda raw: raw["groups"]["biology"]["budget"].update(value=12_000_000),
            lambda raw: raw["payment"]["solde"]["share"].update(value=90),
            lambda raw: raw["payment"]["solde"].update(due="paye"),
            lambda raw: raw["payment"].update(regularisation=raw["payment"].pop("solde")),
            lambda raw: raw["indicators"]["SU4"].update(software=_software()),
            lambda raw: raw["indicators"]["SU4"].update(
                seen_by={"count": "acts", "activity": "fse.sent"}
            ),
            lambda raw: raw["indicators"]["SU4"].update(open_hours=raw["money"]["cap"]),
            lambda raw: raw["prerequisites"]["P4"].update(software=_software() | {"couloirs": []}),
            lambda raw: raw["options"]["K3"].update(default="nobody"),
            lambda raw: raw["options"]["K3"]["alternatives"]["establishment"].update(
                set={"/money/cap/scope": "none"}
            ),
            lambda raw: raw["options"]["K3"]["alternatives"]["domain"].update(
                set={"/money/cap/scope": "everyone"}
            ),
        ],
    )
    def test_refuses_a_file_that_breaks_the_form(
        self,
        sun: dict[str, Any],
        loaded: Callable[[Any], Any],
        breaking: Callable[[dict[str, Any]], object],
    ) -> None:
        breaking(sun)
        with pytest.raises(ValidationError):
            loaded(sun)

    @pytest.mark.parametrize("text", ["", "[]", "a: b", "windows: [1]"])
    def test_refuses_a_file_that_is_something_else(
        self, loaded: Callable[[Any], Any], text: str
    ) -> None:
        with pytest.raises(ValidationError):
            loaded(text)

    @pytest.mark.parametrize("text", ["a: [", "!!python/object/apply:os.getcwd []"])
    def test_refuses_yaml_that_is_malformed_or_asks_for_code(
        self, loaded: Callable[[Any], Any], text: str
    ) -> None:
        with pytest.raises(yaml.YAMLError):
            loaded(text)


class TestWindows:
    @pytest.mark.parametrize(
        ("instant", "open_", "nearest"),
        [
            ("2021-12-31T22:59:59+00:00", None, "F1"),
            ("2021-12-31T23:00:00+00:00", "F1", "F1"),
            ("2022-06-30T22:00:00+00:00", "F2", "F2"),
            ("2023-12-31T22:59:59+00:00", "F4", "F4"),
            ("2026-11-26T09:00:00+00:00", None, "F4"),
        ],
    )
    def test_are_found_by_an_instant(self, instant: str, open_: str | None, nearest: str) -> None:
        at = datetime.fromisoformat(instant)

        assert sun_es().window_at(at) == open_
        assert sun_es().nearest_window(at) == nearest
