"""A stack whose ports are taken says so before it starts anything."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from socle.cli.ports import require_free
from socle.cli.stack import at_its_ports, stack_specs
from socle.settings import MissingSettingError, Settings
from socle.testing.stack import Stack, free_ports


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_names_every_port_that_is_taken_with_its_setting(taken: int) -> None:
    free, twice = free_ports(2)
    ports = {
        "SOCLE_A_PORT": taken,
        "SOCLE_B_PORT": free,
        "SOCLE_C_PORT": twice,
        "SOCLE_D_PORT": twice,
    }
    with pytest.raises(MissingSettingError) as refused:
        require_free("127.0.0.1", ports)
    said = str(refused.value)
    assert [name for name in ports if name in said] == [
        "SOCLE_A_PORT",
        "SOCLE_C_PORT",
        "SOCLE_D_PORT",
    ]
    assert f"  {taken}  SOCLE_A_PORT" in said


def test_accepts_free_ports() -> None:
    one, other = free_ports(2)
    require_free("127.0.0.1", {"SOCLE_A_PORT": one, "SOCLE_B_PORT": other})


def test_whoever_moves_a_port_moves_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the text about ports that are taken proposes; but an address that is given stays."""
    for name in [name for name in os.environ if name.startswith("SOCLE_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "SOCLE_HOME": str(tmp_path),
        "SOCLE_DATABASE_URL": "postgresql+asyncpg://nobody@127.0.0.1:9/none",
        "SOCLE_GATEWAY_PORT": "18080",
        "SOCLE_PSC_PORT": "18081",
        "SOCLE_INS_PORT": "18082",
        "SOCLE_INS_URL": "http://ins.test",
    }.items():
        monkeypatch.setenv(name, value)
    for spec in stack_specs(at_its_ports(Settings()), None):
        assert spec.env["SOCLE_PUBLIC_URL"] == "http://localhost:18080"
        assert spec.env["SOCLE_PSC_URL"] == "http://127.0.0.1:18081"
        assert spec.env["SOCLE_INS_URL"] == "http://ins.test"
        assert spec.env["SOCLE_DMP_URL"] == "http://127.0.0.1:8083"


@pytest.mark.parametrize("name", ["mss_peer", "gateway_tls", "usage"])
def test_the_stack_starts_nothing_on_taken_ports(tmp_path: Path, taken: int, name: str) -> None:
    stack = Stack(tmp_path / "home")
    stack.ports[name] = taken
    done = subprocess.run(
        [sys.executable, "-m", "socle.cli", "up"],
        env=stack.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert f"SOCLE_{name.upper()}_PORT" in done.stderr
    assert "Traceback" not in done.stderr
    assert not stack.home.exists()
