"""Lifetimes, parameters, discovery, events."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

import socle.events
from services.psc import events
from services.psc.domain.discovery import document
from services.psc.domain.lifetimes import Lifetimes
from services.psc.domain.parameters import Parameters

START = datetime(2026, 11, 26, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LIFETIMES = Lifetimes(
    access=2 * MINUTE,
    refresh=30 * MINUTE,
    session_idle=30 * MINUTE,
    session_max=240 * MINUTE,
    code=MINUTE,
    login_page=30 * MINUTE,
    ciba=2 * MINUTE,
    ciba_interval=MINUTE / 12,
    phone_lock=15 * MINUTE,
    pushed=MINUTE,
)


class TestLifetimes:
    def test_session_lives_until_thirty_idle_minutes(self) -> None:
        assert LIFETIMES.is_live(START + 29 * MINUTE, START, START)
        assert not LIFETIMES.is_live(START + 30 * MINUTE, START, START)

    def test_session_ends_after_four_hours_however_busy(self) -> None:
        busy = START + 239 * MINUTE
        assert LIFETIMES.is_live(busy, START, busy)
        assert not LIFETIMES.is_live(START + 240 * MINUTE, START, busy)

    def test_refresh_token_does_not_outlive_its_session(self) -> None:
        assert LIFETIMES.refresh_expiry(START, START) == START + 30 * MINUTE
        assert LIFETIMES.refresh_expiry(START + 230 * MINUTE, START) == START + 240 * MINUTE


class TestParameters:
    def test_empty_value_counts_as_absent(self) -> None:
        assert Parameters.of([("state", "")]).get("state") is None

    def test_repetition_is_noticed_even_when_values_are_equal(self) -> None:
        assert Parameters.of([("a", "1"), ("a", "1")]).repeated == {"a"}


class TestDiscovery:
    def test_values_are_pscs_own(self) -> None:
        made = document("https://h/auth/realms/esante-wallet", "https://h/auth")
        assert made["acr_values_supported"] == ["0", "0"]
        assert made["authorization_response_iss_parameter_supported"] is True
        assert made["code_challenge_methods_supported"] == ["plain", "S256"]
        assert "scope_all" in made["scopes_supported"]
        assert len(made["mtls_endpoint_aliases"]) == 8
        assert made["introspection_endpoint"].endswith("/openid-connect/token/introspect")
        assert len(made) == 54  # fields of the copy that the ANS uses (spec: psc.md §1)


@pytest.mark.parametrize("type_", [events.OPENED, events.CLOSED])
def test_examples_keep_to_their_schema(type_: str) -> None:
    folder = Path(socle.events.__file__).parent
    schema = json.loads((folder / "schemas" / f"{type_}.json").read_text())
    examples = json.loads((folder / "examples" / f"{type_}.json").read_text())
    for example in examples:
        jsonschema.Draft202012Validator(schema).validate(example["data"])
        assert example["type"] == type_
        assert example["subject"] == example["data"]["session"]
