"""Requests that wait for a phone or a card, the phones themselves, sessions without a browser."""

from socle.db.script import run_script

revision = "psc_0003"
down_revision = "psc_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE psc.authentication_request (
            space text NOT NULL,
            id uuid NOT NULL,
            client_id text NOT NULL,
            national_id text NOT NULL,
            channel text NOT NULL,
            number text NOT NULL,
            choices text[] NOT NULL,
            scope text NOT NULL,
            issuer text NOT NULL,
            status text NOT NULL,
            wrong_numbers integer NOT NULL,
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            auth_req_digest bytea NOT NULL,
            last_polled_at timestamptz,
            CONSTRAINT pk_authentication_request PRIMARY KEY (space, id),
            CONSTRAINT uq_authentication_request_auth_req_digest UNIQUE (auth_req_digest),
            CONSTRAINT ck_authentication_request_channel CHECK (channel IN ('CARD', 'MOBILE')),
            CONSTRAINT ck_authentication_request_status CHECK
                (status IN ('pending', 'approved', 'refused', 'used')),
            CONSTRAINT fk_authentication_request_client_id_client FOREIGN KEY (space, client_id)
                REFERENCES psc.client (space, client_id) ON DELETE CASCADE
        );
        CREATE INDEX ix_authentication_request_pending
            ON psc.authentication_request (space, national_id) WHERE status = 'pending';
        CREATE INDEX ix_authentication_request_expires_at
            ON psc.authentication_request (expires_at);
        CREATE TABLE psc.phone (
            space text NOT NULL,
            national_id text NOT NULL,
            wrong_pins integer NOT NULL,
            locked_until timestamptz,
            CONSTRAINT pk_phone PRIMARY KEY (space, national_id)
        );
        ALTER TABLE psc.client_grant ALTER COLUMN code_digest DROP NOT NULL;
        ALTER TABLE psc.session ALTER COLUMN browser_digest DROP NOT NULL
        """
    )


def downgrade() -> None:
    run_script(
        """
        DELETE FROM psc.client_grant WHERE code_digest IS NULL;
        DELETE FROM psc.session WHERE browser_digest IS NULL;
        ALTER TABLE psc.session ALTER COLUMN browser_digest SET NOT NULL;
        ALTER TABLE psc.client_grant ALTER COLUMN code_digest SET NOT NULL;
        DROP TABLE psc.phone;
        DROP TABLE psc.authentication_request
        """
    )
