"""Versions, replacements, states and owners of documents; entryUUIDs are unique in a space."""

from socle.db.script import run_script

revision = "dmp_0004"
down_revision = "dmp_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        ALTER TABLE dmp.document
            ADD COLUMN chain_id uuid,
            ADD COLUMN latest boolean NOT NULL DEFAULT true,
            ADD COLUMN status_changes integer NOT NULL DEFAULT 0,
            ADD COLUMN masked boolean NOT NULL DEFAULT false,
            ADD COLUMN owners text[] NOT NULL DEFAULT '{}';
        UPDATE dmp.document AS d SET
            chain_id = logical_id,
            owners = ARRAY[(
                SELECT submitter FROM dmp.submission_set AS s WHERE s.id = d.submission_set
            )],
            masked = COALESCE(metadata -> 'xds' -> 'confidentiality', '[]')
                @> '[{"code": "MASQUE_PS"}]';
        ALTER TABLE dmp.document ALTER COLUMN chain_id SET NOT NULL;
        ALTER TABLE dmp.document DROP CONSTRAINT pk_document;
        ALTER TABLE dmp.document ADD CONSTRAINT pk_document PRIMARY KEY (space, id);
        DROP INDEX dmp.ix_document_logical;
        CREATE UNIQUE INDEX ix_document_logical ON dmp.document (space, logical_id, version);
        DROP INDEX dmp.ix_document_submission_set;
        CREATE INDEX ix_document_submission_set ON dmp.document (space, submission_set);
        CREATE TABLE dmp.association (
            id uuid NOT NULL,
            space text NOT NULL,
            kind text NOT NULL,
            source uuid NOT NULL,
            target uuid NOT NULL,
            submission_set uuid NOT NULL,
            CONSTRAINT pk_association PRIMARY KEY (space, id)
        );
        CREATE INDEX ix_association_source ON dmp.association (space, source);
        CREATE INDEX ix_association_target ON dmp.association (space, target);
        """
    )


def downgrade() -> None:
    run_script(
        """
        DROP TABLE dmp.association;
        DROP INDEX dmp.ix_document_submission_set;
        CREATE INDEX ix_document_submission_set ON dmp.document (submission_set);
        DROP INDEX dmp.ix_document_logical;
        CREATE UNIQUE INDEX ix_document_logical ON dmp.document (logical_id, version);
        ALTER TABLE dmp.document DROP CONSTRAINT pk_document;
        ALTER TABLE dmp.document ADD CONSTRAINT pk_document PRIMARY KEY (id);
        ALTER TABLE dmp.document
            DROP COLUMN chain_id, DROP COLUMN latest, DROP COLUMN status_changes,
            DROP COLUMN masked, DROP COLUMN owners;
        """
    )
