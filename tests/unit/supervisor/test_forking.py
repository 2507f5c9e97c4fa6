"""Processes that a fork server makes, under the supervisor that runs in the test's own loop."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from socle.supervisor import ForkServer, ProcessSpec

pytestmark = pytest.mark.skipif(not ForkServer.is_possible(), reason="the tie is one of Linux")

Supervise = Callable[..., Any]
Wait = Callable[[int], None]

TOLD = """
import os, random, secrets, signal, sys, time
ends = {"fail": 7, "end": 0}
if sys.argv[1] not in ends:  # before it says anything: whoever has read it may end it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(print("bye")))
print(f"pid={os.getpid()} parent={os.getppid()} session={os.getsid(0)}")
print("arguments", *sys.argv[1:])
print("added", os.environ.get("SOCLE_ADDED"))
print("drawn", random.random(), secrets.token_hex(8))
print("here as", __name__, file=sys.stderr)
if sys.argv[1] in ends:
    sys.exit(ends[sys.argv[1]])
while True:
    time.sleep(0.05)
"""


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "told.py").write_text(TOLD)
    (tmp_path / "shared.py").write_text("import os\nIMPORTED_BY = os.getpid()\n")
    (tmp_path / "sharing.py").write_text(
        "import os, shared\nprint('imported by', shared.IMPORTED_BY, os.getppid(), sep=' ')\n"
    )
    (tmp_path / "threaded.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=[60], daemon=True).start()\n"
    )
    (tmp_path / "plain.py").write_text(
        "import os, time\nprint(f'pid={os.getpid()}')\nwhile True: time.sleep(0.05)\n"
    )
    (tmp_path / "broken.py").write_text("import nothing_of_that_name\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


@pytest.fixture
def forks() -> Iterator[ForkServer]:
    with ForkServer(["shared"]) as forks:
        yield forks


def told(name: str, argument: str = "", **options: Any) -> ProcessSpec:
    words = [sys.executable, "-m", "told", argument or name]
    return ProcessSpec(name, words, **{"preload": ["random"], **options})


def numbers(line: str) -> dict[str, int]:
    return {key: int(value) for key, value in (word.split("=") for word in line.split())}


def children_of(parent: int) -> dict[int, str]:
    """pid → state."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, its_parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(its_parent) == parent:
            found[int(folder.name)] = state
    return found


class TestProcess:
    async def test_is_as_if_it_had_been_started_as_a_program(
        self, supervised: Supervise, forks: ForkServer
    ) -> None:
        dmp = told("dmp", env={"SOCLE_ADDED": "added"})
        async with supervised(dmp, forks=forks) as running:
            await running.until(lambda: len(running.said_by("dmp")) == 5)
            first, *rest = running.said_by("dmp")
            about = numbers(first)
            assert rest[:2] == ["arguments dmp", "added added"]
            assert rest[3] == "here as __main__"
            assert about["parent"] == forks.pid
            assert about["session"] == about["pid"] not in (forks.pid, os.getpid())

    async def test_shows_its_own_command_line(
        self, supervised: Supervise, forks: ForkServer
    ) -> None:
        async with supervised(told("dmp"), forks=forks) as running:
            await running.until(lambda: bool(running.said_by("dmp")))
            pid = numbers(running.said_by("dmp")[0])["pid"]
            shown = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
            assert shown == [sys.executable.encode(), b"-m", b"told", b"dmp"]

    async def test_has_what_was_imported_once(
        self, supervised: Supervise, forks: ForkServer
    ) -> None:
        sharing = ProcessSpec("dmp", [sys.executable, "-m", "sharing"], preload=["shared"])
        async with supervised(sharing, forks=forks) as running:
            await running.until(lambda: bool(running.said_by("dmp")))
            assert running.said_by("dmp")[0] == f"imported by {forks.pid} {forks.pid}"

    async def test_shares_no_random_state_with_another(
        self, supervised: Supervise, forks: ForkServer
    ) -> None:
        async with supervised(told("dmp"), told("ins"), forks=forks) as running:
            names = ("dmp", "ins")
            await running.until(lambda: all(len(running.said_by(name)) == 5 for name in names))
            drawn = [running.said_by(name)[3].split()[1:] for name in names]
            assert not set(drawn[0]) & set(drawn[1])

    async def test_is_started_as_a_program_when_it_names_no_modules(
        self, supervised: Supervise, forks: ForkServer
    ) -> None:
        async with supervised(told("dmp", preload=[]), forks=forks) as running:
            await running.until(lambda: bool(running.said_by("dmp")))
            assert numbers(running.said_by("dmp")[0])["parent"] == os.getpid()


class TestEnd:
    @pytest.mark.parametrize(("argument", "code"), [("fail", 7), ("end", 0)])
    async def test_is_told_with_its_code_and_followed_by_a_restart(
        self, supervised: Supervise, forks: ForkServer, argument: str, code: int
    ) -> None:
        async with supervised(told("dmp", argument), forks=forks) as running:
            await running.until(lambda: len(running.said_by("socle")) >= 2)
            assert running.said_by("socle")[0].startswith(f"dmp exited with code {code} after")

    async def test_of_a_process_that_runs_once_lets_the_next_one_start(
        self, supervised: Supervise, forks: ForkServer
    ) -> None:
        migrate = told("migrate", "end", once=True)
        async with supervised(migrate, told("dmp", after=["migrate"]), forks=forks) as running:
            await running.until(lambda: bool(running.said_by("dmp")))

    async def test_tells_in_its_own_log_why_a_module_cannot_be_imported(
        self, supervised: Supervise, forks: ForkServer
    ) -> None:
        broken = ProcessSpec("dmp", [sys.executable, "-m", "broken"], preload=["broken"])
        async with supervised(broken, forks=forks) as running:
            await running.until(lambda: bool(running.said_by("socle")))
            assert "No module named 'nothing_of_that_name'" in running.said_by("dmp")[-1]
            assert running.said_by("socle")[0].startswith("dmp exited with code 1 after")

    async def test_comes_back_when_it_is_killed_and_leaves_no_zombie(
        self, supervised: Supervise, forks: ForkServer
    ) -> None:
        async with supervised(told("dmp"), told("ins"), forks=forks) as running:
            await running.until(lambda: all(map(running.said_by, ("dmp", "ins"))))
            first = numbers(running.said_by("dmp")[0])["pid"]
            os.kill(first, signal.SIGKILL)
            await running.until(lambda: len(running.said_by("dmp")) == 10)
            again = numbers(running.said_by("dmp")[5])
            assert running.said_by("socle")[0].startswith("dmp was killed by SIGKILL after")
            assert again["parent"] == forks.pid
            ins = numbers(running.said_by("ins")[0])["pid"]
            assert children_of(forks.pid).keys() == {again["pid"], ins}
            assert "Z" not in children_of(forks.pid).values()

    async def test_is_asked_for_in_order_when_the_supervisor_stops(
        self, supervised: Supervise, forks: ForkServer
    ) -> None:
        async with supervised(told("dmp"), forks=forks) as running:
            await running.until(lambda: len(running.said_by("dmp")) == 5)
            running.task.cancel()
            await running.until(running.task.done)
            assert running.said_by("dmp")[-1] == "bye"
            assert children_of(forks.pid) == {}

    async def test_leaves_nothing_when_the_stop_comes_before_the_fork(
        self, supervised: Supervise, modules: Path
    ) -> None:
        (modules / "slow.py").write_text(
            "import pathlib, time\n"
            f"pathlib.Path({str(modules / 'begun')!r}).touch()\n"
            f"while not pathlib.Path({str(modules / 'go')!r}).exists(): time.sleep(0.02)\n"
        )
        with ForkServer([]) as forks:
            async with supervised(told("dmp", preload=["slow"]), forks=forks) as running:
                await running.until((modules / "begun").exists)
                running.task.cancel()
                await running.until(running.task.done)
            (modules / "go").touch()
            async with supervised(told("ins"), forks=forks) as running:  # asked for after the other
                await running.until(lambda: bool(running.said_by("ins")))
                ins = numbers(running.said_by("ins")[0])["pid"]
                await running.until(lambda: children_of(forks.pid).keys() == {ins})


class TestServer:
    async def test_is_told_of_and_done_without_when_it_is_killed(
        self, supervised: Supervise, forks: ForkServer
    ) -> None:
        async with supervised(told("dmp"), told("ins"), forks=forks) as running:
            await running.until(lambda: all(map(running.said_by, ("dmp", "ins"))))
            first = [numbers(running.said_by(name)[0])["pid"] for name in ("dmp", "ins")]
            os.kill(forks.pid, signal.SIGKILL)
            for pid in first:
                await running.until_dead(pid)
            for name in ("dmp", "ins"):
                await running.until(lambda name=name: len(running.said_by(name)) == 10)
                assert numbers(running.said_by(name)[5])["parent"] == os.getpid()
            assert (
                running.said_by("socle")[0]
                == "the fork server has ended; what it made starts again, each by itself"
            )

    async def test_forks_nothing_beside_a_thread_and_is_done_without(
        self, supervised: Supervise
    ) -> None:
        with ForkServer([]) as forks:
            async with supervised(told("dmp", preload=["threaded"]), forks=forks) as running:
                await running.until(lambda: bool(running.said_by("dmp")))
                assert numbers(running.said_by("dmp")[0])["parent"] == os.getpid()
                assert running.said_by("socle")[0].startswith(
                    "the fork server refused to fork beside another thread"
                )

    def test_ends_with_the_supervisor_and_takes_its_forks_along(
        self, supervisor_process: Callable[..., Any], wait_until_dead: Wait
    ) -> None:
        supervisor = supervisor_process(
            'ProcessSpec("dmp", [sys.executable, "-m", "plain"], preload=["shared"])',
            "forks=ForkServer(['shared'])",
        )
        pid = supervisor.pid_of("dmp")
        server = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        assert server != supervisor.process.pid
        supervisor.process.kill()
        supervisor.process.wait()
        wait_until_dead(server)
        wait_until_dead(pid)
