"""The names of the migrations' files tell which is the last (socle/db/migrations.py)."""

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from services.catalogue import all_migrations
from socle.db.migrate import ALEMBIC
from socle.db.migrations import KERNEL, Migrations


@pytest.mark.parametrize("migrations", [KERNEL, *all_migrations()], ids=lambda one: one.schema)
def test_the_last_file_is_the_head_of_the_chain(migrations: Migrations) -> None:
    config = Config()
    config.set_main_option("script_location", str(ALEMBIC))
    config.set_main_option("version_locations", str(migrations.versions))
    config.set_main_option("path_separator", "os")

    assert ScriptDirectory.from_config(config).get_heads() == [migrations.head]
