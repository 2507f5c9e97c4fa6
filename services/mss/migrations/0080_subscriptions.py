"""Which folders a client has subscribed to (RFC 3501 §6.3.6); all of them, as before, until it says."""

from socle.db.script import run_script

revision = "mss_0080"
down_revision = "mss_0073"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script("ALTER TABLE mss.folder ADD COLUMN subscribed boolean NOT NULL DEFAULT true")


def downgrade() -> None:
    run_script("ALTER TABLE mss.folder DROP COLUMN subscribed")
