"""What the fork server of `socle up` imports must be there, and start nothing."""

import json
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest

from services.catalogue import SERVICES
from socle.cli.stack import PRELOAD

MODULES = sorted(set(chain.from_iterable(PRELOAD.values())))
LOOK = """
import asyncio, importlib, json, sys
from pathlib import Path
for module in json.loads(sys.argv[1]):
    importlib.import_module(module)
print(len(list(Path("/proc/self/task").iterdir())), *map(str, Path("/proc/self/fd").iterdir()))
"""


def test_each_process_has_its_own() -> None:
    assert PRELOAD.keys() == {"migrate", "gateway", *SERVICES}


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in /proc")
def test_modules_leave_one_thread_and_no_connection() -> None:
    told = subprocess.run(
        [sys.executable, "-c", LOOK, json.dumps(MODULES)],
        capture_output=True, text=True, check=True, close_fds=True,
    ).stdout.split()  # fmt: skip

    threads, *descriptors = told
    assert threads == "1", "a module starts a thread: no process can be forked any more"
    # Standard input and output, error, and the one that lists the others.
    assert len(descriptors) <= 4
