"""Patients' records, who may read them, and the traits that go with an INS as keyed hashes."""

from socle.db.script import run_script

revision = "dmp_0005"
down_revision = "dmp_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        ALTER TABLE dmp.patient ADD COLUMN fingerprints jsonb NOT NULL DEFAULT '{}';
        CREATE TABLE dmp.record (
            space text NOT NULL,
            patient text NOT NULL,
            oid text NOT NULL,
            matricule text NOT NULL,
            status text NOT NULL,
            attached boolean NOT NULL,
            internet_account boolean NOT NULL,
            opposes_break_glass boolean NOT NULL,
            opposes_emergency boolean NOT NULL,
            opposes_feeding boolean NOT NULL,
            shows_masked_in_emergency boolean NOT NULL,
            closing_code text NOT NULL,
            closed_at timestamptz,
            opened_at timestamptz,
            person jsonb NOT NULL,
            CONSTRAINT pk_record PRIMARY KEY (space, patient)
        );
        CREATE TABLE dmp.access_right (
            space text NOT NULL,
            patient text NOT NULL,
            professional text NOT NULL,
            mode text NOT NULL,
            is_treating_doctor boolean NOT NULL,
            started_at timestamptz NOT NULL,
            last_action_at timestamptz NOT NULL,
            profile jsonb NOT NULL,
            CONSTRAINT pk_access_right PRIMARY KEY (space, patient, professional)
        );
        CREATE INDEX ix_access_right_professional ON dmp.access_right (space, professional);
        """
    )


def downgrade() -> None:
    run_script(
        """
        DROP TABLE dmp.access_right;
        DROP TABLE dmp.record;
        ALTER TABLE dmp.patient DROP COLUMN fingerprints;
        """
    )
