"""HL7v2: what waits for the DMP, which recipients were acknowledged, and whether a message is done."""

from socle.db.script import run_script

revision = "mss_0060"
down_revision = "mss_0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A message is written down before its mails leave, so that no report on them comes too early;
    # what was there before has been carried out.
    run_script(
        """
        ALTER TABLE mss.hl7_message ADD COLUMN carried_out boolean NOT NULL DEFAULT true;
        ALTER TABLE mss.hl7_message ADD COLUMN wants_reception boolean NOT NULL DEFAULT false;
        CREATE TABLE mss.hl7_reception (
            space text NOT NULL,
            message_id text NOT NULL,
            address text NOT NULL,
            CONSTRAINT pk_hl7_reception PRIMARY KEY (space, message_id, address),
            CONSTRAINT fk_hl7_reception_mail FOREIGN KEY (space, message_id)
                REFERENCES mss.hl7_mail ON DELETE CASCADE
        );
        CREATE TABLE mss.hl7_deposit (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            space text NOT NULL,
            application text NOT NULL,
            facility text NOT NULL,
            control_id text NOT NULL,
            patient text NOT NULL,
            asked jsonb NOT NULL,
            queued_at timestamptz NOT NULL,
            attempts integer NOT NULL DEFAULT 0,
            next_at timestamptz,
            outcome text CONSTRAINT ck_hl7_deposit_outcome
                CHECK (outcome IN ('done', 'refused', 'expired')),
            code text NOT NULL DEFAULT '',
            told text NOT NULL DEFAULT '',
            CONSTRAINT uq_hl7_deposit_message UNIQUE (space, application, facility, control_id),
            CONSTRAINT fk_hl7_deposit_message FOREIGN KEY (space, application, facility, control_id)
                REFERENCES mss.hl7_message ON DELETE CASCADE
        );
        CREATE INDEX ix_hl7_deposit_waiting ON mss.hl7_deposit (next_at) WHERE next_at IS NOT NULL;
        CREATE INDEX ix_hl7_deposit_patient ON mss.hl7_deposit (space, patient, id)
            WHERE next_at IS NOT NULL;
        CREATE INDEX ix_hl7_deposit_space ON mss.hl7_deposit (space, id);
        CREATE TABLE mss.hl7_deposit_document (
            deposit bigint NOT NULL REFERENCES mss.hl7_deposit ON DELETE CASCADE,
            number integer NOT NULL,
            content bytea NOT NULL,
            CONSTRAINT pk_hl7_deposit_document PRIMARY KEY (deposit, number)
        )
        """
    )


def downgrade() -> None:
    tables = ("hl7_deposit_document", "hl7_deposit", "hl7_reception")
    run_script(";".join(f"DROP TABLE mss.{table}" for table in tables))
    run_script("ALTER TABLE mss.hl7_message DROP COLUMN carried_out, DROP COLUMN wants_reception")
