"""Patients' mailboxes: who is qualified, the state of each box, contacts, replies, receipts, notices."""

from socle.db.script import run_script

revision = "mss_0020"
down_revision = "mss_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        ALTER TABLE mss.mailbox DROP CONSTRAINT ck_mailbox_kind;
        ALTER TABLE mss.mailbox ADD CONSTRAINT ck_mailbox_kind
            CHECK (kind IN ('PER', 'ORG', 'APP', 'CAB', 'PATIENT'));
        ALTER TABLE mss.mailbox ADD COLUMN structure text NOT NULL DEFAULT '';
        CREATE INDEX ix_message_message_id ON mss.message (space, message_id);
        CREATE TABLE mss.patient (
            space text NOT NULL,
            pseudonym text NOT NULL,
            qualified boolean NOT NULL,
            said_at timestamptz NOT NULL,
            CONSTRAINT pk_patient PRIMARY KEY (space, pseudonym)
        );
        CREATE TABLE mss.patient_mailbox (
            space text NOT NULL,
            address text NOT NULL,
            pseudonym text NOT NULL,
            state text NOT NULL CONSTRAINT ck_patient_mailbox_state
                CHECK (state IN ('active', 'auto_created', 'opposed', 'closed')),
            name text NOT NULL,
            email text NOT NULL,
            CONSTRAINT pk_patient_mailbox PRIMARY KEY (space, address),
            CONSTRAINT fk_patient_mailbox_mailbox FOREIGN KEY (space, address)
                REFERENCES mss.mailbox ON DELETE CASCADE
        );
        CREATE TABLE mss.contact (
            space text NOT NULL,
            patient text NOT NULL,
            address text NOT NULL,
            open boolean NOT NULL,
            since timestamptz NOT NULL,
            CONSTRAINT pk_contact PRIMARY KEY (space, patient, address),
            CONSTRAINT fk_contact_patient_mailbox FOREIGN KEY (space, patient)
                REFERENCES mss.patient_mailbox ON DELETE CASCADE
        );
        CREATE TABLE mss.patient_mail (
            space text NOT NULL,
            patient text NOT NULL,
            message uuid NOT NULL,
            contact text NOT NULL,
            reply text NOT NULL CONSTRAINT ck_patient_mail_reply
                CHECK (reply IN ('REPLY', 'REPLY_BLOCKED', 'NO_REPLY')),
            receipt_to text,
            read_at timestamptz,
            CONSTRAINT pk_patient_mail PRIMARY KEY (space, patient, message),
            CONSTRAINT fk_patient_mail_patient_mailbox FOREIGN KEY (space, patient)
                REFERENCES mss.patient_mailbox ON DELETE CASCADE,
            CONSTRAINT fk_patient_mail_message FOREIGN KEY (message)
                REFERENCES mss.message ON DELETE CASCADE
        );
        CREATE INDEX ix_patient_mail_contact ON mss.patient_mail (space, patient, contact);
        CREATE INDEX ix_patient_mail_message ON mss.patient_mail (message);
        CREATE TABLE mss.notification (
            id uuid CONSTRAINT pk_notification PRIMARY KEY,
            space text NOT NULL,
            patient text NOT NULL,
            email text NOT NULL,
            sent_at timestamptz NOT NULL,
            CONSTRAINT fk_notification_patient_mailbox FOREIGN KEY (space, patient)
                REFERENCES mss.patient_mailbox ON DELETE CASCADE
        );
        CREATE INDEX ix_notification_patient ON mss.notification (space, patient, id);
        CREATE TABLE mss.patient_rules (
            space text CONSTRAINT pk_patient_rules PRIMARY KEY,
            rules jsonb NOT NULL
        );
        """
    )


def downgrade() -> None:
    tables = (
        "patient_rules", "notification", "patient_mail", "contact", "patient_mailbox", "patient",
    )  # fmt: skip
    run_script(";".join(f"DROP TABLE mss.{table}" for table in tables))
    run_script(
        """
        DROP INDEX mss.ix_message_message_id;
        ALTER TABLE mss.mailbox DROP COLUMN structure;
        DELETE FROM mss.mailbox WHERE kind = 'PATIENT';
        ALTER TABLE mss.mailbox DROP CONSTRAINT ck_mailbox_kind;
        ALTER TABLE mss.mailbox ADD CONSTRAINT ck_mailbox_kind
            CHECK (kind IN ('PER', 'ORG', 'APP', 'CAB'));
        """
    )
