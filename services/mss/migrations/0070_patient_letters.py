"""What patients' letters were sent under which key, so that a retried one is sent once."""

from socle.db.script import run_script

revision = "mss_0070"
down_revision = "mss_0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE mss.patient_letter (
            space text NOT NULL,
            patient text NOT NULL,
            key text NOT NULL,
            digest bytea NOT NULL,
            message uuid REFERENCES mss.message ON DELETE CASCADE,
            CONSTRAINT pk_patient_letter PRIMARY KEY (space, patient, key)
        );
        CREATE INDEX ix_patient_letter_message ON mss.patient_letter (message);
        """
    )


def downgrade() -> None:
    run_script("DROP TABLE mss.patient_letter")
