"""The jars of the broker, resolved once by Maven from deploy/kafka/pom.xml."""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from socle.embedded.errors import EmbeddedServerError

DEPLOY = Path(__file__).resolve().parents[3] / "deploy" / "kafka"
POM = DEPLOY / "pom.xml"
LOG4J_CONFIG = DEPLOY / "log4j2.xml"
STAMP = ".pom-sha256"
RESOLVE_TIMEOUT = 600
JAVA_HINT = "Install a JDK or JRE 17 or later (Debian: apt install openjdk-17-jre-headless)"
OTHERWISE = "or give a running broker in SOCLE_KAFKA_BOOTSTRAP."


def java_command(libs: Path, *, heap: str, properties: dict[str, str] | None = None) -> list[str]:
    """The beginning of a command line: what follows is a class and its arguments."""
    defined = {"log4j2.configurationFile": str(LOG4J_CONFIG), **(properties or {})}
    options = [f"-D{name}={value}" for name, value in defined.items()]
    return [find_program("java", JAVA_HINT), f"-Xmx{heap}", *options, "-cp", f"{libs}/*"]


def find_program(name: str, hint: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise EmbeddedServerError(
            f"Kafka needs `{name}`, which is not on the PATH. {hint}, {OTHERWISE}"
        )
    return found


def ensure_jars(libs: Path) -> None:
    """Complete or absent: the folder gets its name once every jar is there."""
    if not POM.is_file():
        raise EmbeddedServerError(
            f"{POM} is missing: Kafka starts from a checkout of Socle, {OTHERWISE}"
        )
    digest = hashlib.sha256(POM.read_bytes()).hexdigest()
    if _stamp_of(libs) == digest:
        return
    libs.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix="libs.new-", dir=libs.parent))
    try:
        _resolve(unfinished)
        (unfinished / STAMP).write_text(digest)
        if libs.exists():  # of another version
            shutil.rmtree(libs)
        unfinished.rename(libs)
    except OSError:
        if _stamp_of(libs) != digest:  # otherwise another process was faster
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _stamp_of(libs: Path) -> str | None:
    try:
        return (libs / STAMP).read_text()
    except FileNotFoundError:
        return None


def _resolve(folder: Path) -> None:
    maven = find_program("mvn", "Install Maven (Debian: apt install maven)")
    command = [
        maven, "--quiet", "--batch-mode", "--file", str(POM),
        "dependency:copy-dependencies", f"-DoutputDirectory={folder}",
    ]  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603 - a command of ours, without a shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=RESOLVE_TIMEOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise EmbeddedServerError(f"Maven did not end within {RESOLVE_TIMEOUT} s.") from error
    if done.returncode != 0 or not any(folder.glob("kafka_*.jar")):
        said = "\n".join(done.stdout.strip().splitlines()[:8])
        raise EmbeddedServerError(
            f"Maven could not bring the jars of Kafka (is Maven Central within reach?):\n{said}"
        )
