"""Where the migrations of a schema lie, and which is the last."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Migrations:
    """The migrations of one schema, in the folder `versions`: `0002_lots.py` is `<schema>_0002`."""

    schema: str
    versions: Path

    @property
    def head(self) -> str:
        """As the names of the files tell it: reading them all takes longer than all the rest of a start
        that has nothing to migrate. A contract test holds the names against the revisions.
        """
        last = max(file.name for file in self.versions.glob("[0-9]*_*.py"))
        return f"{self.schema}_{last.partition('_')[0]}"


KERNEL = Migrations("socle", Path(__file__).parent / "alembic" / "versions")
