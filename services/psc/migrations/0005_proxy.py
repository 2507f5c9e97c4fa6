"""Tokens of the API realm, given in exchange for Pro Santé Connect's (RFC 8693)."""

from socle.db.script import run_script

revision = "psc_0005"
down_revision = "psc_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE psc.api_token (
            space text NOT NULL,
            access_jti uuid NOT NULL,
            session_id uuid NOT NULL,
            client_id text NOT NULL,
            national_id text NOT NULL,
            scope text NOT NULL,
            audience text[] NOT NULL,
            issuer text NOT NULL,
            started_at timestamptz NOT NULL,
            access_expires_at timestamptz NOT NULL,
            refresh_digest bytea NOT NULL,
            refresh_expires_at timestamptz NOT NULL,
            refresh_used_at timestamptz,
            revoked_at timestamptz,
            CONSTRAINT pk_api_token PRIMARY KEY (space, access_jti),
            CONSTRAINT uq_api_token_refresh_digest UNIQUE (refresh_digest),
            CONSTRAINT fk_api_token_client_id_client FOREIGN KEY (space, client_id)
                REFERENCES psc.client (space, client_id) ON DELETE CASCADE
        );
        CREATE INDEX ix_api_token_client_id ON psc.api_token (space, client_id);
        CREATE INDEX ix_api_token_session_id ON psc.api_token (space, session_id);
        CREATE INDEX ix_api_token_access_expires_at ON psc.api_token (access_expires_at)
        """
    )


def downgrade() -> None:
    run_script("DROP TABLE psc.api_token")
