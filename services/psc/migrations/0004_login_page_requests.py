"""A login page, too, waits for the phone: a request belongs to CIBA or to a page."""

from socle.db.script import run_script

revision = "psc_0004"
down_revision = "psc_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        ALTER TABLE psc.authentication_request
            ADD COLUMN login_digest bytea,
            ALTER COLUMN auth_req_digest DROP NOT NULL,
            ADD CONSTRAINT ck_authentication_request_origin CHECK
                ((auth_req_digest IS NULL) <> (login_digest IS NULL))
        """
    )


def downgrade() -> None:
    run_script(
        """
        DELETE FROM psc.authentication_request WHERE auth_req_digest IS NULL;
        ALTER TABLE psc.authentication_request
            DROP CONSTRAINT ck_authentication_request_origin,
            DROP COLUMN login_digest,
            ALTER COLUMN auth_req_digest SET NOT NULL
        """
    )
