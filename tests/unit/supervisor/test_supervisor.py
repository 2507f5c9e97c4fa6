"""What the supervisor does while its processes run."""

import asyncio
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from socle.supervisor import ProcessSpec, Supervisor
from tests.patience import PATIENCE_SECONDS

Make = Callable[..., ProcessSpec]
Supervise = Callable[..., Any]


def wait_for_file(path: Path) -> None:
    while not path.exists():
        time.sleep(0.02)


FOREVER = "while :; do sleep 0.1; done"


class TestStart:
    async def test_waits_for_readiness_when_a_process_comes_after_another(
        self, supervised: Supervise, process: Make
    ) -> None:
        answers = asyncio.Event()

        async def probe() -> bool:
            return answers.is_set()

        database = process("database", f"echo up; {FOREVER}", probe=probe)
        dmp = process("dmp", f"echo up; {FOREVER}", after=["database"])
        async with supervised(dmp, database) as running:
            await running.until(lambda: running.said_by("database") == ["up"])
            await asyncio.sleep(0.2)
            assert running.said_by("dmp") == []
            answers.set()
            await running.until(lambda: running.said_by("dmp") == ["up"])

    async def test_waits_for_its_end_when_a_process_runs_once(
        self, supervised: Supervise, process: Make, tmp_path: Path
    ) -> None:
        migrate = process("migrate", f"sleep 0.2; touch {tmp_path}/migrated", once=True)
        dmp = process("dmp", f"ls {tmp_path}; {FOREVER}", after=["migrate"])
        async with supervised(dmp, migrate) as running:
            await running.until(lambda: running.said_by("dmp") == ["migrated"])

    async def test_tries_again_when_a_process_that_runs_once_fails(
        self, supervised: Supervise, process: Make, tmp_path: Path
    ) -> None:
        fails_first = f"[ -e {tmp_path}/tried ] || {{ touch {tmp_path}/tried; exit 3; }}"
        async with supervised(process("migrate", fails_first, once=True)) as running:
            assert await asyncio.wait_for(running.task, PATIENCE_SECONDS) == 0
            assert running.said_by("socle")[0].startswith("migrate exited with code 3 after")

    async def test_tells_once_when_everything_is_ready(
        self, supervised: Supervise, process: Make
    ) -> None:
        told = []
        dies_now_and_then = process("dmp", "sleep 0.1")
        async with supervised(dies_now_and_then, on_ready=lambda: told.append(1)) as running:
            await running.until(lambda: len(running.said_by("socle")) >= 3)
        assert told == [1]

    async def test_hands_on_the_environment_and_its_additions(
        self, supervised: Supervise, process: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SOCLE_GIVEN", "given")
        dmp = process(
            "dmp", f"echo $SOCLE_GIVEN $SOCLE_ADDED; {FOREVER}", env={"SOCLE_ADDED": "added"}
        )
        async with supervised(dmp) as running:
            await running.until(lambda: running.said_by("dmp") == ["given added"])

    async def test_says_why_when_the_program_does_not_exist(self, supervised: Supervise) -> None:
        async with supervised(ProcessSpec("dmp", ["/nowhere/dmp"])) as running:
            await running.until(lambda: bool(running.said_by("dmp")))
            assert running.said_by("dmp")[0] == (
                "socle: cannot run /nowhere/dmp: No such file or directory"
            )


class TestRestart:
    @pytest.mark.parametrize(
        ("end", "reason"),
        [
            ("exit 7", "dmp exited with code 7"),
            ("exit 0", "dmp exited with code 0"),
            ("kill -9 $$", "dmp was killed by SIGKILL"),
        ],
    )
    async def test_follows_and_says_why_when_a_process_dies(
        self, supervised: Supervise, process: Make, end: str, reason: str
    ) -> None:
        async with supervised(process("dmp", f"echo up; {end}")) as running:
            await running.until(lambda: running.said_by("dmp")[:3] == ["up"] * 3)
            for said, delay in zip(running.said_by("socle"), ("0.05", "0.1"), strict=False):
                assert re.fullmatch(rf"{reason} after \d+\.\d s; restarting in {delay} s", said)
            assert len(running.said_by("socle")) >= 2

    async def test_leaves_the_others_alone(self, supervised: Supervise, process: Make) -> None:
        ins = process("ins", f"echo up; {FOREVER}")
        async with supervised(process("dmp", "echo up; exit 1"), ins) as running:
            await running.until(lambda: len(running.said_by("dmp")) >= 3)
            assert running.said_by("ins") == ["up"]

    async def test_ends_what_the_dead_process_left_in_its_group(
        self, supervised: Supervise, process: Make
    ) -> None:
        """Otherwise a worker would keep the port that the new process needs."""
        async with supervised(process("dmp", "sleep 60 & echo $!; kill -9 $$")) as running:
            await running.until(lambda: bool(running.said_by("dmp")))
            await running.until_dead(int(running.said_by("dmp")[0]))


class TestReadiness:
    async def test_is_reported_with_the_last_lines_when_it_takes_too_long(
        self, supervised: Supervise, process: Make
    ) -> None:
        wrote, answers = asyncio.Event(), asyncio.Event()

        async def probe() -> bool:
            await wrote.wait()  # looked at first when there is a line to tell
            return answers.is_set()

        told: list[str] = []
        dmp = process("dmp", f"echo waiting for a table; {FOREVER}", probe=probe)
        async with supervised(
            dmp, on_ready=lambda: told.append("ready"), ready_timeout=0.01
        ) as running:
            await running.until(lambda: bool(running.said_by("dmp")))
            wrote.set()
            await running.until(lambda: len(running.said_by("socle")) == 2)
            late, line = running.said_by("socle")
            assert re.fullmatch(
                r"dmp is not ready after \d+ s and is still waited for; its last lines:", late
            )
            assert line == "  dmp > waiting for a table"
            assert told == []
            answers.set()
            await running.until(lambda: told == ["ready"])

    async def test_is_reported_when_the_process_dies_again_and_again(
        self, supervised: Supervise, process: Make
    ) -> None:
        async def probe() -> bool:
            return False

        dmp = process("dmp", "echo no database; exit 1", probe=probe)
        async with supervised(dmp, ready_timeout=0.2) as running:
            await running.until(lambda: "is not ready" in " ".join(running.said_by("socle")))

    async def test_ends_the_run_cleanly_when_a_probe_is_broken(
        self, supervised: Supervise, process: Make
    ) -> None:
        async def probe() -> bool:
            raise LookupError("a mistake in the probe")

        async with supervised(process("dmp", FOREVER, probe=probe)) as running:
            with pytest.raises(ExceptionGroup) as raised:
                await asyncio.wait_for(asyncio.shield(running.task), PATIENCE_SECONDS)
            assert raised.group_contains(LookupError, match="a mistake in the probe")

    async def test_ends_the_run_cleanly_when_on_ready_fails(
        self, supervised: Supervise, process: Make
    ) -> None:
        def on_ready() -> None:
            raise LookupError("a mistake in the table")

        async with supervised(process("dmp", f"echo $$; {FOREVER}"), on_ready=on_ready) as running:
            with pytest.raises(LookupError, match="a mistake in the table"):
                await asyncio.wait_for(asyncio.shield(running.task), PATIENCE_SECONDS)
            for pid in running.said_by("dmp"):
                await running.until_dead(int(pid))


class TestOutput:
    async def test_has_whole_lines_when_processes_write_at_the_same_time(
        self, supervised: Supervise, process: Make
    ) -> None:
        torn = "for n in 1 2 3 4 5; do printf 'first-'; sleep 0.02; echo half; done; " + FOREVER
        async with supervised(process("dmp", torn), process("ins", torn)) as running:
            await running.until(lambda: len(running.lines) == 10)
            assert running.said_by("dmp") == ["first-half"] * 5
            assert running.said_by("ins") == ["first-half"] * 5

    async def test_has_the_last_line_when_a_process_dies_in_the_middle_of_it(
        self, supervised: Supervise, process: Make
    ) -> None:
        async with supervised(process("dmp", "printf 'half a li'; exit 1")) as running:
            await running.until(lambda: "half a li" in running.said_by("dmp"))

    async def test_has_standard_error_too(self, supervised: Supervise, process: Make) -> None:
        async with supervised(process("dmp", f"echo wrong >&2; {FOREVER}")) as running:
            await running.until(lambda: running.said_by("dmp") == ["wrong"])

    async def test_does_not_hold_a_process_back_when_nobody_reads_it(
        self, process: Make, tmp_path: Path
    ) -> None:
        read_end, write_end = os.pipe()
        os.close(read_end)
        much = f"head -c 300000 /dev/zero | tr '\\0' '\\n'; touch {tmp_path}/done; {FOREVER}"
        with os.fdopen(write_end, "wb", buffering=0) as closed:
            task = asyncio.create_task(
                Supervisor([process("dmp", much)], output=closed).supervise()
            )
            await asyncio.wait_for(
                asyncio.to_thread(wait_for_file, tmp_path / "done"), PATIENCE_SECONDS
            )
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
