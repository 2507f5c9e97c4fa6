"""The ways to find submission sets, and the documents of one."""

from socle.db.script import run_script

revision = "dmp_0003"
down_revision = "dmp_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE INDEX ix_submission_set_patient ON dmp.submission_set (space, patient, id);
        CREATE INDEX ix_submission_set_unique_id
            ON dmp.submission_set (space, ((metadata -> 'xds') ->> 'unique_id'));
        CREATE INDEX ix_document_submission_set ON dmp.document (submission_set);
        """
    )


def downgrade() -> None:
    run_script(
        "DROP INDEX dmp.ix_document_submission_set, dmp.ix_submission_set_unique_id,"
        " dmp.ix_submission_set_patient"
    )
