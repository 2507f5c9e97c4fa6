"""How a supervisor ends: asked once, asked twice, and killed."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS

Start = Callable[..., Any]
Wait = Callable[[int], None]

LOOP = "while :; do sleep 0.05; done"
POLITE = f"trap 'echo bye; exit 0' TERM; echo pid=$$; {LOOP}"
STUBBORN = f"trap '' TERM; echo pid=$$; {LOOP}"


class TestStop:
    @pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    def test_ends_processes_in_reverse_order_when_asked(
        self, supervisor_process: Start, wait_until_dead: Wait, asked: signal.Signals
    ) -> None:
        database = f"trap 'echo bye; exit 0' INT; echo pid=$$; {LOOP}"
        supervisor = supervisor_process(
            f"""
            shell("database", {database!r}, stop_signal=signal.SIGINT),
            shell("dmp", "trap 'sleep 0.3; echo bye; exit 0' TERM; echo pid=$$; {LOOP}", after=["database"]),
            shell("gateway", {POLITE!r}, after=["dmp"]),
            """
        )
        pids = [supervisor.pid_of(name) for name in ("database", "dmp", "gateway")]
        supervisor.wait_for("EVERYTHING READY")
        supervisor.process.send_signal(asked)
        assert supervisor.process.wait(PATIENCE_SECONDS) == 0
        for pid in pids:
            wait_until_dead(pid)
        byes = [line for line in supervisor.output.splitlines() if line.endswith("│ bye")]
        assert [line.split()[0] for line in byes] == ["gateway", "dmp", "database"]
        assert f"stopping on {asked.name}" in supervisor.output

    def test_reaches_processes_through_the_supervisor_alone_when_ctrl_c_is_typed(
        self, supervisor_process: Start
    ) -> None:
        """A terminal signals the whole group; a service must not lose its database by that."""
        told = f"trap 'echo interrupted' INT; trap 'echo bye; exit 0' TERM; echo pid=$$; {LOOP}"
        supervisor = supervisor_process(f"""shell("dmp", {told!r})""")
        supervisor.pid_of("dmp")
        supervisor.ctrl_c()
        assert supervisor.process.wait(PATIENCE_SECONDS) == 0
        assert "interrupted" not in supervisor.output

    def test_kills_after_the_grace_when_a_process_does_not_end(
        self, supervisor_process: Start, wait_until_dead: Wait
    ) -> None:
        supervisor = supervisor_process(f"""shell("dmp", {STUBBORN!r})""", "stop_grace=0.3")
        pid = supervisor.pid_of("dmp")
        supervisor.process.terminate()
        assert supervisor.process.wait(PATIENCE_SECONDS) == 1
        wait_until_dead(pid)
        assert "dmp did not stop within 0.3 s and is killed" in supervisor.output

    def test_kills_at_once_when_ctrl_c_is_typed_twice(
        self, supervisor_process: Start, wait_until_dead: Wait
    ) -> None:
        supervisor = supervisor_process(
            f"""shell("database", {POLITE!r}), shell("dmp", {STUBBORN!r}, after=["database"])""",
            "stop_grace=600",  # not to be waited for here
        )
        pids = [supervisor.pid_of("database"), supervisor.pid_of("dmp")]
        supervisor.ctrl_c()
        supervisor.wait_for("a second Ctrl-C kills at once")
        supervisor.ctrl_c()
        assert supervisor.process.wait(PATIENCE_SECONDS) == 130
        for pid in pids:
            wait_until_dead(pid)

    def test_is_immediate_when_a_process_waits_for_its_restart(
        self, supervisor_process: Start
    ) -> None:
        supervisor = supervisor_process(
            """shell("dmp", "exit 1")""", "restart=RestartPolicy(600, 600), stop_grace=600"
        )
        supervisor.wait_for("restarting in 600 s")
        supervisor.process.terminate()
        assert supervisor.process.wait(PATIENCE_SECONDS) == 0

    def test_does_not_restart_what_dies_meanwhile(
        self, supervisor_process: Start, wait_until_dead: Wait, tmp_path: Path
    ) -> None:
        waits = f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done"
        supervisor = supervisor_process(
            f"""
            shell("database", {POLITE!r}),
            shell("dmp", "trap '{waits}; exit 0' TERM; echo pid=$$; {LOOP}", after=["database"]),
            """,
            "restart=RestartPolicy(0, 0), stop_grace=600",
        )
        database = supervisor.pid_of("database")
        supervisor.pid_of("dmp")
        supervisor.process.terminate()
        supervisor.wait_for("stopping on SIGTERM")
        os.kill(database, signal.SIGKILL)
        wait_until_dead(database)
        (tmp_path / "go").touch()
        assert supervisor.process.wait(PATIENCE_SECONDS) == 0
        assert supervisor.output.count("│ pid=") == 2
        assert "restarting" not in supervisor.output


class TestKill:
    def test_takes_the_processes_along_when_the_supervisor_is_killed(
        self, supervisor_process: Start, wait_until_dead: Wait
    ) -> None:
        supervisor = supervisor_process(f"""shell("dmp", {STUBBORN!r})""")
        pid = supervisor.pid_of("dmp")
        supervisor.process.kill()
        wait_until_dead(pid)

    def test_lets_a_process_end_in_order_when_it_asks_for_another_signal(
        self, supervisor_process: Start, wait_until_dead: Wait, tmp_path: Path
    ) -> None:
        writes = f"trap 'echo done > {tmp_path}/checkpoint; exit 0' INT; echo pid=$$; {LOOP}"
        supervisor = supervisor_process(
            f"""shell("database", {writes!r}, death_signal=signal.SIGINT)"""
        )
        pid = supervisor.pid_of("database")
        supervisor.process.kill()
        wait_until_dead(pid)
        assert (tmp_path / "checkpoint").exists()
