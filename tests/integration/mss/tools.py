"""Programs of Debian that stand in for software which we did not write."""

import os
import shutil
import subprocess
from collections.abc import Sequence

import pytest

from tests.patience import PATIENCE_SECONDS


def tool(name: str, package: str = "") -> str:
    """The program's path. Only its absence on a developer's machine is a reason to skip."""
    found = shutil.which(name)
    if found is not None:
        return found
    reason = f"no {name}: install the Debian package {package or name}"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; CI requires it")
    pytest.skip(reason)


def run(command: Sequence[str], **environment: str) -> "subprocess.CompletedProcess[str]":
    """Its outcome, whatever it is."""
    return subprocess.run(
        list(command),
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
