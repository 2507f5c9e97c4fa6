"""Evidence files of dossiers, and their bodies."""

from socle.db.script import run_script

revision = "usage_0031"
down_revision = "usage_0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE usage.piece_body (
            space text NOT NULL,
            sha256 bytea NOT NULL,
            content bytea NOT NULL,
            CONSTRAINT pk_piece_body PRIMARY KEY (space, sha256)
        );
        ALTER TABLE usage.piece_body ALTER COLUMN content SET STORAGE EXTERNAL;
        CREATE TABLE usage.piece (
            space text NOT NULL,
            beneficiary text NOT NULL,
            programme text NOT NULL,
            reference text NOT NULL,
            name text NOT NULL,
            media_type text NOT NULL,
            size bigint NOT NULL,
            sha256 bytea NOT NULL,
            stored_at timestamptz NOT NULL,
            submitted_at timestamptz,
            CONSTRAINT pk_piece PRIMARY KEY (space, beneficiary, programme, reference)
        );
        CREATE INDEX ix_piece_sha256 ON usage.piece (space, sha256)
        """
    )


def downgrade() -> None:
    run_script("DROP TABLE usage.piece; DROP TABLE usage.piece_body")
