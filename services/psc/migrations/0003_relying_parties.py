"""How a relying party proves who it is, and what is served to it."""

from socle.db.script import run_script

revision = "psc_0003"
down_revision = "psc_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script("SELECT 1")


def downgrade() -> None:
    run_script("SELECT 1")
