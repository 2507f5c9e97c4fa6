"""Tokens of the second realm, and the sessions of the Proxy e-Santé that hold them."""

from socle.db.script import run_script

revision = "psc_0007"
down_revision = "psc_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE psc.api_token (
            space text NOT NULL,
            jti uuid NOT NULL,
            grant_id uuid NOT NULL,
            refresh_digest bytea NOT NULL,
            client_id text NOT NULL,
            session_id uuid NOT NULL,
            national_id text NOT NULL,
            scope text NOT NULL,
            audience text[] NOT NULL,
            issuer text NOT NULL,
            certificate_thumbprint bytea,
            issued_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            refresh_expires_at timestamptz NOT NULL,
            refresh_used_at timestamptz,
            revoked_at timestamptz,
            CONSTRAINT pk_api_token PRIMARY KEY (space, jti),
            CONSTRAINT uq_api_token_refresh_digest UNIQUE (refresh_digest)
        );
        CREATE INDEX ix_api_token_grant ON psc.api_token (space, grant_id);
        CREATE INDEX ix_api_token_expires_at ON psc.api_token (expires_at);
        CREATE TABLE psc.proxy_session (
            space text NOT NULL,
            id uuid NOT NULL,
            client_id text NOT NULL,
            national_id text NOT NULL,
            session_id uuid NOT NULL,
            api_token uuid NOT NULL,
            started_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            CONSTRAINT pk_proxy_session PRIMARY KEY (id)
        );
        CREATE INDEX ix_proxy_session_expires_at ON psc.proxy_session (expires_at);
        CREATE TABLE psc.proxy_trace (
            id bigint GENERATED ALWAYS AS IDENTITY,
            space text NOT NULL,
            document jsonb NOT NULL,
            at timestamptz NOT NULL,
            CONSTRAINT pk_proxy_trace PRIMARY KEY (id)
        );
        CREATE INDEX ix_proxy_trace_at ON psc.proxy_trace (space, at)
        """
    )


def downgrade() -> None:
    run_script("DROP TABLE psc.proxy_trace; DROP TABLE psc.proxy_session; DROP TABLE psc.api_token")
