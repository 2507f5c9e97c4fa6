"""HL7v2: who sends, what was accepted, and the acknowledgements that are to go back."""

from socle.db.script import run_script

revision = "mss_0044"
down_revision = "mss_0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE mss.hl7_sender (
            application text NOT NULL,
            facility text NOT NULL,
            space text NOT NULL,
            mailbox text NOT NULL,
            endpoint text NOT NULL,
            seen_uid bigint NOT NULL DEFAULT 0,
            CONSTRAINT pk_hl7_sender PRIMARY KEY (application, facility)
        );
        CREATE TABLE mss.hl7_message (
            space text NOT NULL,
            application text NOT NULL,
            facility text NOT NULL,
            control_id text NOT NULL,
            sha256 bytea NOT NULL,
            parties jsonb NOT NULL,
            wants_reading boolean NOT NULL,
            received_at timestamptz NOT NULL,
            CONSTRAINT pk_hl7_message PRIMARY KEY (space, application, facility, control_id)
        );
        CREATE TABLE mss.hl7_mail (
            space text NOT NULL,
            message_id text NOT NULL,
            application text NOT NULL,
            facility text NOT NULL,
            control_id text NOT NULL,
            message uuid,
            addressees jsonb NOT NULL,
            CONSTRAINT pk_hl7_mail PRIMARY KEY (space, message_id),
            CONSTRAINT fk_hl7_mail_message FOREIGN KEY (space, application, facility, control_id)
                REFERENCES mss.hl7_message ON DELETE CASCADE
        );
        CREATE TABLE mss.hl7_acknowledgement (
            id uuid PRIMARY KEY,
            space text NOT NULL,
            application text NOT NULL,
            facility text NOT NULL,
            control_id text NOT NULL,
            content bytea NOT NULL,
            made_at timestamptz NOT NULL,
            attempts integer NOT NULL DEFAULT 0,
            next_at timestamptz,
            answer text,
            CONSTRAINT fk_hl7_acknowledgement_message
                FOREIGN KEY (space, application, facility, control_id)
                REFERENCES mss.hl7_message ON DELETE CASCADE
        );
        CREATE INDEX ix_hl7_acknowledgement_waiting ON mss.hl7_acknowledgement (next_at)
            WHERE next_at IS NOT NULL;
        CREATE INDEX ix_hl7_acknowledgement_space ON mss.hl7_acknowledgement (space, id);
        """
    )


def downgrade() -> None:
    tables = ("hl7_acknowledgement", "hl7_mail", "hl7_message", "hl7_sender")
    run_script(";".join(f"DROP TABLE mss.{table}" for table in tables))
