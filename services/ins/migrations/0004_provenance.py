"""What an identity record must tell of itself: how it was made sure, local names, former INS, merge."""

from socle.db.script import run_script

revision = "ins_0004"
down_revision = "ins_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        ALTER TABLE ins.identity
            ADD COLUMN first_given_name text NOT NULL DEFAULT '',
            ADD COLUMN used_family_name text NOT NULL DEFAULT '',
            ADD COLUMN used_given_name text NOT NULL DEFAULT '',
            ADD COLUMN collected_by text NOT NULL DEFAULT 'SM',
            ADD COLUMN insi_at timestamptz,
            ADD COLUMN evidence text NOT NULL DEFAULT '',
            ADD COLUMN evidence_at timestamptz,
            ADD COLUMN evidence_expires text NOT NULL DEFAULT '',
            ADD COLUMN former jsonb NOT NULL DEFAULT '[]',
            ADD COLUMN merged_into uuid,
            ADD CONSTRAINT fk_identity_merged_into FOREIGN KEY (space, merged_into)
                REFERENCES ins.identity (space, id),
            ADD CONSTRAINT ck_identity_merged CHECK (merged_into IS NULL OR NOT retrieved);
        CREATE INDEX ix_identity_merged_into ON ins.identity (space, merged_into)
            WHERE merged_into IS NOT NULL;
        CREATE INDEX ix_identity_name ON ins.identity (space, family_name COLLATE "C");
        CREATE INDEX ix_identity_birth_date ON ins.identity (space, birth_date);
        """
    )


def downgrade() -> None:
    run_script(
        """
        DROP INDEX ins.ix_identity_name, ins.ix_identity_birth_date;
        ALTER TABLE ins.identity
            DROP COLUMN merged_into, DROP COLUMN former, DROP COLUMN evidence_expires,
            DROP COLUMN evidence_at, DROP COLUMN evidence, DROP COLUMN insi_at,
            DROP COLUMN collected_by, DROP COLUMN used_given_name, DROP COLUMN used_family_name,
            DROP COLUMN first_given_name;
        """
    )
