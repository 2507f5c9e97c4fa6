"""Finding one of very many people."""

from socle.db.script import run_script

revision = "psc_0006"
down_revision = "psc_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script("SELECT 1")


def downgrade() -> None:
    run_script("SELECT 1")
