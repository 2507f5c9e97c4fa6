"""The tables that every service has for the kernel's sake."""

from socle.db.kernel_tables import create_statements
from socle.db.script import run_script

revision = "usage_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(create_statements("usage"))


def downgrade() -> None:
    tables = ("seeded", "outbox", "inbox", "consumer_offset", "dead_letter")
    run_script(";".join(f"DROP TABLE usage.{table}" for table in tables))
