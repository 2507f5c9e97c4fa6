"""Batches of verifications, line by line, so that a worker that dies goes on where it was."""

from socle.db.script import run_script

revision = "ins_0005"
down_revision = "ins_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE ins.verification_batch (
            space text NOT NULL,
            id uuid NOT NULL,
            reference text,
            digest bytea NOT NULL,
            lines integer NOT NULL,
            bad integer NOT NULL,
            ok integer NOT NULL,
            ko integer NOT NULL,
            created_at timestamptz NOT NULL,
            finished_at timestamptz,
            CONSTRAINT pk_verification_batch PRIMARY KEY (space, id),
            CONSTRAINT uq_verification_batch_reference UNIQUE (space, reference)
        );
        CREATE INDEX ix_verification_batch_open ON ins.verification_batch (id)
            WHERE finished_at IS NULL;
        CREATE TABLE ins.verification_line (
            space text NOT NULL,
            batch_id uuid NOT NULL,
            line integer NOT NULL,
            reference text NOT NULL,
            claim jsonb,
            problems jsonb NOT NULL,
            result text,
            differs text[] NOT NULL,
            CONSTRAINT pk_verification_line PRIMARY KEY (space, batch_id, line),
            CONSTRAINT fk_verification_line_batch FOREIGN KEY (space, batch_id)
                REFERENCES ins.verification_batch (space, id) ON DELETE CASCADE
        );
        CREATE INDEX ix_verification_line_open ON ins.verification_line (space, batch_id, line)
            WHERE result IS NULL;
        """
    )


def downgrade() -> None:
    run_script("DROP TABLE ins.verification_line; DROP TABLE ins.verification_batch")
