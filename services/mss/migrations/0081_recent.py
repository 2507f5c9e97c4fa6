"""From which UID on nobody was told of a message yet: \\Recent (RFC 3501 §2.3.2). What is there is old."""

from socle.db.script import run_script

revision = "mss_0081"
down_revision = "mss_0080"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        "ALTER TABLE mss.folder ADD COLUMN recent_from bigint NOT NULL DEFAULT 1;"
        "UPDATE mss.folder SET recent_from = uid_next"
    )


def downgrade() -> None:
    run_script("ALTER TABLE mss.folder DROP COLUMN recent_from")
