"""The clients that come from npm and from Maven, installed when they are first needed."""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent / "node"
PACKAGES = SCRIPTS / "node_modules"
JAVA = Path(__file__).parent / "java"


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


def java_with_packages() -> list[str]:
    """The command that runs a class of the Java project; built when its sources are newer."""
    java, maven = shutil.which("java"), shutil.which("mvn")
    if java is None or maven is None:
        pytest.skip("no Java: install JDK 17 and Maven (Debian: openjdk-17-jdk-headless maven)")
    built = JAVA / "target" / "built"
    newest = max(path.stat().st_mtime for path in [JAVA / "pom.xml", *JAVA.glob("src/**/*.java")])
    if not built.exists() or built.stat().st_mtime < newest:
        command = [maven, "-B", "-q", "compile", "dependency:copy-dependencies"]
        done = subprocess.run(command, cwd=JAVA, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"Maven could not build the clients: {done.stdout.strip()[-600:]}")
        built.touch()
    return [java, "-cp", f"{JAVA}/target/classes:{JAVA}/target/lib/*"]
