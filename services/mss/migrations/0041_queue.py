"""What waits to be handed to another operator, and how an operator answers."""

from socle.db.script import run_script

revision = "mss_0041"
down_revision = "mss_0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        ALTER TABLE mss.operator ADD COLUMN answer text;
        CREATE TABLE mss.queued (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            space text NOT NULL,
            message uuid NOT NULL REFERENCES mss.message,
            operator text NOT NULL,
            sender text NOT NULL,
            recipient text NOT NULL,
            notify text,
            original text NOT NULL,
            returned text NOT NULL,
            envelope_id text NOT NULL,
            queued_at timestamptz NOT NULL,
            next_at timestamptz NOT NULL,
            attempts integer NOT NULL DEFAULT 0,
            reply text NOT NULL DEFAULT '',
            CONSTRAINT uq_queued_recipient UNIQUE (message, recipient)
        );
        CREATE INDEX ix_queued_next_at ON mss.queued (next_at);
        """
    )


def downgrade() -> None:
    run_script("DROP TABLE mss.queued; ALTER TABLE mss.operator DROP COLUMN answer")
