"""Folders of XDS, and the documents that were put into them."""

from socle.db.script import run_script

revision = "dmp_0008"
down_revision = "dmp_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE dmp.folder (
            space text NOT NULL,
            id uuid NOT NULL,
            patient text NOT NULL,
            unique_id text NOT NULL,
            submission_set uuid NOT NULL,
            updated_at timestamptz NOT NULL,
            version integer NOT NULL DEFAULT 1,
            metadata jsonb NOT NULL,
            CONSTRAINT pk_folder PRIMARY KEY (space, id)
        );
        CREATE UNIQUE INDEX ix_folder_unique_id ON dmp.folder (space, unique_id);
        CREATE INDEX ix_folder_patient ON dmp.folder (space, patient);
        CREATE INDEX ix_folder_submission_set ON dmp.folder (space, submission_set);
        CREATE TABLE dmp.folder_member (
            space text NOT NULL,
            folder uuid NOT NULL,
            document uuid NOT NULL,
            CONSTRAINT pk_folder_member PRIMARY KEY (space, folder, document)
        );
        CREATE INDEX ix_folder_member_document ON dmp.folder_member (space, document);
        """
    )


def downgrade() -> None:
    run_script("DROP TABLE dmp.folder_member, dmp.folder;")
