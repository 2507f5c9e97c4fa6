"""What deep validation found in documents, and which of them wait for it."""

from socle.db.script import run_script

revision = "dmp_0007"
down_revision = "dmp_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE dmp.validation (
            space text NOT NULL,
            id uuid NOT NULL,
            requested_at timestamptz NOT NULL,
            done_at timestamptz,
            findings jsonb,
            CONSTRAINT pk_validation PRIMARY KEY (space, id)
        );
        CREATE INDEX ix_validation_waiting ON dmp.validation (requested_at) WHERE done_at IS NULL;
        """
    )


def downgrade() -> None:
    run_script("DROP TABLE dmp.validation;")
