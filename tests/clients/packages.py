"""The clients that come from npm, installed from their lock when they are first needed."""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent / "node"
PACKAGES = SCRIPTS / "node_modules"


def node_with_packages() -> str:
    """The program; what is missing is told, and fails in CI."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        pytest.skip("no Node.js: install Node 20 and npm (Debian: apt install nodejs npm)")
    lock, installed = SCRIPTS / "package-lock.json", PACKAGES / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        done = subprocess.run([npm, "ci"], cwd=SCRIPTS, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"npm ci could not install the clients: {done.stderr.strip()[-300:]}")
    return program
