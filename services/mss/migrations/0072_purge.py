"""A message may outlive its body; the index is for whoever removes a body, to see whom it belongs to."""

from socle.db.script import run_script

revision = "mss_0072"
down_revision = "mss_0071"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        ALTER TABLE mss.message ALTER COLUMN sha256 DROP NOT NULL;
        CREATE INDEX ix_message_sha256 ON mss.message USING hash (sha256);
        """
    )


def downgrade() -> None:
    """A purged message has nothing that an older version could show."""
    run_script(
        """
        DELETE FROM mss.message WHERE sha256 IS NULL;
        DROP INDEX mss.ix_message_sha256;
        ALTER TABLE mss.message ALTER COLUMN sha256 SET NOT NULL;
        """
    )
