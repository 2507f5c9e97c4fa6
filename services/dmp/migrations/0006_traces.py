"""Who read which document and when: what a patient is shown, and what the law asks to keep."""

from socle.db.script import run_script

revision = "dmp_0006"
down_revision = "dmp_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE dmp.trace (
            space text NOT NULL,
            id uuid NOT NULL,
            patient text NOT NULL,
            at timestamptz NOT NULL,
            actor text NOT NULL,
            action text NOT NULL,
            purpose text NOT NULL,
            document uuid,
            CONSTRAINT pk_trace PRIMARY KEY (space, id)
        );
        CREATE INDEX ix_trace_patient ON dmp.trace (space, patient, id);
        """
    )


def downgrade() -> None:
    run_script("DROP TABLE dmp.trace;")
