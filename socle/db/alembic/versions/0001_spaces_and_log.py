"""Spaces, and the embedded event log."""

from alembic import op

from socle.db.script import run_script

revision = "socle_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE socle.space (
            name text PRIMARY KEY,
            created_at timestamptz NOT NULL DEFAULT now(),
            clock_offset interval NOT NULL DEFAULT '0',
            clock_frozen_at timestamptz,
            faults jsonb NOT NULL DEFAULT '[]'
        );
        CREATE TABLE socle.log_topic (
            topic text PRIMARY KEY,
            next_offset bigint NOT NULL DEFAULT 0
        );
        CREATE TABLE socle.log (
            topic text NOT NULL,
            "offset" bigint NOT NULL,
            key text NOT NULL,
            value bytea NOT NULL,
            headers jsonb NOT NULL DEFAULT '{}',
            appended_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (topic, "offset")
        );
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE socle.log, socle.log_topic, socle.space")
