"""Mailboxes, folders, messages, content-addressed bodies."""

from socle.db.script import run_script

revision = "mss_0002"
down_revision = "mss_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE mss.mailbox (
            space text NOT NULL,
            address text NOT NULL,
            kind text NOT NULL CONSTRAINT ck_mailbox_kind
                CHECK (kind IN ('PER', 'ORG', 'APP', 'CAB')),
            label text NOT NULL,
            CONSTRAINT pk_mailbox PRIMARY KEY (space, address)
        );
        CREATE TABLE mss.mailbox_owner (
            space text NOT NULL,
            address text NOT NULL,
            national_id text NOT NULL,
            CONSTRAINT pk_mailbox_owner PRIMARY KEY (space, address, national_id),
            CONSTRAINT fk_mailbox_owner_mailbox FOREIGN KEY (space, address)
                REFERENCES mss.mailbox ON DELETE CASCADE
        );
        CREATE INDEX ix_mailbox_owner_national_id ON mss.mailbox_owner (space, national_id);
        CREATE SEQUENCE mss.uid_validity AS integer MINVALUE 1;
        CREATE TABLE mss.folder (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            space text NOT NULL,
            address text NOT NULL,
            name text NOT NULL,
            special_use text NOT NULL DEFAULT '',
            uid_validity integer NOT NULL DEFAULT nextval('mss.uid_validity'),
            uid_next bigint NOT NULL DEFAULT 1,
            version bigint NOT NULL DEFAULT 0,
            CONSTRAINT uq_folder_name UNIQUE (space, address, name),
            CONSTRAINT fk_folder_mailbox FOREIGN KEY (space, address)
                REFERENCES mss.mailbox ON DELETE CASCADE
        );
        CREATE TABLE mss.body (
            space text NOT NULL,
            sha256 bytea NOT NULL,
            content bytea NOT NULL,
            CONSTRAINT pk_body PRIMARY KEY (space, sha256)
        );
        ALTER TABLE mss.body ALTER COLUMN content SET STORAGE EXTERNAL;
        CREATE TABLE mss.message (
            id uuid PRIMARY KEY,
            space text NOT NULL,
            sha256 bytea NOT NULL,
            size bigint NOT NULL,
            header bytea NOT NULL,
            sender text,
            message_id text NOT NULL,
            accepted_at timestamptz NOT NULL,
            CONSTRAINT fk_message_body FOREIGN KEY (space, sha256) REFERENCES mss.body
        );
        CREATE UNIQUE INDEX uq_message_submitted
            ON mss.message (space, sender, message_id, sha256)
            WHERE sender IS NOT NULL AND message_id <> '';
        CREATE TABLE mss.recipient (
            space text NOT NULL,
            message uuid NOT NULL REFERENCES mss.message ON DELETE CASCADE,
            address text NOT NULL,
            CONSTRAINT pk_recipient PRIMARY KEY (space, message, address)
        );
        CREATE TABLE mss.item (
            folder bigint NOT NULL REFERENCES mss.folder ON DELETE CASCADE,
            uid bigint NOT NULL,
            space text NOT NULL,
            message uuid NOT NULL REFERENCES mss.message,
            flags text[] NOT NULL DEFAULT '{}',
            internal_date timestamptz NOT NULL,
            CONSTRAINT pk_item PRIMARY KEY (folder, uid)
        );
        CREATE INDEX ix_item_message ON mss.item (message);
        """
    )


def downgrade() -> None:
    tables = ("item", "recipient", "message", "body", "folder", "mailbox_owner", "mailbox")
    run_script(";".join(f"DROP TABLE mss.{table}" for table in tables))
    run_script("DROP SEQUENCE mss.uid_validity")
