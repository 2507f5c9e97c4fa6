"""Who may open a mailbox besides its owners; closed mailboxes; quotas."""

from socle.db.script import run_script

revision = "mss_0042"
down_revision = "mss_0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        ALTER TABLE mss.mailbox
            ADD COLUMN active boolean NOT NULL DEFAULT true,
            ADD COLUMN quota_bytes bigint CONSTRAINT ck_mailbox_quota CHECK (quota_bytes > 0);
        CREATE TABLE mss.mailbox_delegate (
            space text NOT NULL,
            address text NOT NULL,
            national_id text NOT NULL,
            rights text NOT NULL CONSTRAINT ck_mailbox_delegate_rights
                CHECK (rights IN ('read', 'read-write')),
            granted_by text NOT NULL,
            granted_at timestamptz NOT NULL,
            CONSTRAINT pk_mailbox_delegate PRIMARY KEY (space, address, national_id),
            CONSTRAINT fk_mailbox_delegate_mailbox FOREIGN KEY (space, address)
                REFERENCES mss.mailbox ON DELETE CASCADE
        );
        CREATE INDEX ix_mailbox_delegate_national_id ON mss.mailbox_delegate (space, national_id);
        CREATE VIEW mss.mailbox_access AS
            SELECT o.space, o.address, o.national_id, 'owner' AS rights
            FROM mss.mailbox_owner o JOIN mss.mailbox m USING (space, address) WHERE m.active
            UNION ALL
            SELECT d.space, d.address, d.national_id, d.rights
            FROM mss.mailbox_delegate d JOIN mss.mailbox m USING (space, address)
            WHERE m.active AND NOT EXISTS (
                SELECT FROM mss.mailbox_owner o WHERE o.space = d.space
                AND o.address = d.address AND o.national_id = d.national_id);
        """
    )


def downgrade() -> None:
    run_script(
        """
        DROP VIEW mss.mailbox_access;
        DROP TABLE mss.mailbox_delegate;
        ALTER TABLE mss.mailbox DROP COLUMN active, DROP COLUMN quota_bytes;
        """
    )
