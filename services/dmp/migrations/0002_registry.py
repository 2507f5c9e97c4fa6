"""The registry: bodies, submission sets, document entries, patients."""

from socle.db.script import run_script

revision = "dmp_0002"
down_revision = "dmp_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE dmp.body (
            space text NOT NULL,
            sha256 bytea NOT NULL,
            content bytea NOT NULL,
            CONSTRAINT pk_body PRIMARY KEY (space, sha256)
        );
        ALTER TABLE dmp.body ALTER COLUMN content SET STORAGE EXTERNAL;
        CREATE TABLE dmp.submission_set (
            id uuid NOT NULL,
            space text NOT NULL,
            patient text NOT NULL,
            submitted_at timestamptz NOT NULL,
            submitter text NOT NULL,
            metadata jsonb NOT NULL,
            CONSTRAINT pk_submission_set PRIMARY KEY (id)
        );
        CREATE TABLE dmp.document (
            id uuid NOT NULL,
            logical_id uuid NOT NULL,
            version integer NOT NULL,
            space text NOT NULL,
            submission_set uuid NOT NULL,
            unique_id text NOT NULL,
            status text NOT NULL,
            patient text NOT NULL,
            type_code text NOT NULL,
            class_code text NOT NULL,
            created_at timestamptz NOT NULL,
            registered_at timestamptz NOT NULL,
            sha256 bytea NOT NULL,
            size bigint NOT NULL,
            metadata jsonb NOT NULL,
            CONSTRAINT pk_document PRIMARY KEY (id)
        );
        CREATE INDEX ix_document_patient ON dmp.document (space, patient, status, created_at);
        CREATE UNIQUE INDEX ix_document_logical ON dmp.document (logical_id, version);
        CREATE UNIQUE INDEX ix_document_unique_id ON dmp.document (space, unique_id, version);
        CREATE TABLE dmp.patient (
            space text NOT NULL,
            pseudonym text NOT NULL,
            status text NOT NULL,
            qualified boolean NOT NULL,
            said_at timestamptz NOT NULL,
            CONSTRAINT pk_patient PRIMARY KEY (space, pseudonym)
        );
        """
    )


def downgrade() -> None:
    run_script(
        "DROP TABLE dmp.patient; DROP TABLE dmp.document; DROP TABLE dmp.submission_set; DROP TABLE dmp.body"
    )
