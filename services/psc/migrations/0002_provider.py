"""Keys, people, clients, sessions, grants and tokens."""

from socle.db.script import run_script

revision = "psc_0002"
down_revision = "psc_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE psc.signing_key (
            kid text NOT NULL,
            alg text NOT NULL,
            jwk jsonb NOT NULL,
            active boolean NOT NULL,
            created_at timestamptz NOT NULL,
            CONSTRAINT pk_signing_key PRIMARY KEY (kid)
        );
        CREATE UNIQUE INDEX uq_signing_key_active ON psc.signing_key (alg) WHERE active;
        CREATE TABLE psc.person (
            space text NOT NULL,
            national_id text NOT NULL,
            position integer NOT NULL,
            document jsonb NOT NULL,
            CONSTRAINT pk_person PRIMARY KEY (space, national_id)
        );
        CREATE TABLE psc.client (
            space text NOT NULL,
            client_id text NOT NULL,
            name text NOT NULL,
            secret_digest bytea,
            redirect_uris text[] NOT NULL,
            post_logout_redirect_uris text[] NOT NULL,
            loopback boolean NOT NULL,
            pkce text NOT NULL,
            CONSTRAINT pk_client PRIMARY KEY (space, client_id),
            CONSTRAINT ck_client_pkce CHECK (pkce IN ('off', 'optional', 'required'))
        );
        CREATE INDEX ix_client_client_id ON psc.client (client_id);
        CREATE TABLE psc.login (
            space text NOT NULL,
            digest bytea NOT NULL,
            browser_digest bytea NOT NULL,
            request jsonb NOT NULL,
            issuer text NOT NULL,
            expires_at timestamptz NOT NULL,
            CONSTRAINT pk_login PRIMARY KEY (space, digest)
        );
        CREATE INDEX ix_login_expires_at ON psc.login (expires_at);
        CREATE TABLE psc.session (
            space text NOT NULL,
            id uuid NOT NULL,
            national_id text NOT NULL,
            auth_mode text NOT NULL,
            browser_digest bytea NOT NULL,
            started_at timestamptz NOT NULL,
            last_seen_at timestamptz NOT NULL,
            closed_at timestamptz,
            CONSTRAINT pk_session PRIMARY KEY (space, id),
            CONSTRAINT uq_session_browser_digest UNIQUE (browser_digest)
        );
        CREATE INDEX ix_session_open ON psc.session (last_seen_at) WHERE closed_at IS NULL;
        CREATE INDEX ix_session_closed_at ON psc.session (closed_at) WHERE closed_at IS NOT NULL;
        CREATE TABLE psc.client_grant (
            space text NOT NULL,
            id uuid NOT NULL,
            session_id uuid NOT NULL,
            client_id text NOT NULL,
            redirect_uri text NOT NULL,
            scope text NOT NULL,
            nonce text NOT NULL,
            acr text NOT NULL,
            issuer text NOT NULL,
            challenge text NOT NULL,
            challenge_method text NOT NULL,
            code_digest bytea NOT NULL,
            code_expires_at timestamptz NOT NULL,
            code_used_at timestamptz,
            revoked_at timestamptz,
            CONSTRAINT pk_client_grant PRIMARY KEY (space, id),
            CONSTRAINT uq_client_grant_code_digest UNIQUE (code_digest),
            CONSTRAINT fk_client_grant_session_id_session FOREIGN KEY (space, session_id)
                REFERENCES psc.session (space, id) ON DELETE CASCADE,
            CONSTRAINT fk_client_grant_client_id_client FOREIGN KEY (space, client_id)
                REFERENCES psc.client (space, client_id) ON DELETE CASCADE
        );
        CREATE INDEX ix_client_grant_session ON psc.client_grant (space, session_id);
        CREATE INDEX ix_client_grant_client ON psc.client_grant (space, client_id);
        CREATE TABLE psc.token (
            space text NOT NULL,
            access_jti uuid NOT NULL,
            refresh_digest bytea NOT NULL,
            grant_id uuid NOT NULL,
            access_expires_at timestamptz NOT NULL,
            refresh_expires_at timestamptz NOT NULL,
            refresh_used_at timestamptz,
            access_revoked_at timestamptz,
            CONSTRAINT pk_token PRIMARY KEY (space, access_jti),
            CONSTRAINT uq_token_refresh_digest UNIQUE (refresh_digest),
            CONSTRAINT fk_token_grant_id_client_grant FOREIGN KEY (space, grant_id)
                REFERENCES psc.client_grant (space, id) ON DELETE CASCADE
        );
        CREATE INDEX ix_token_grant ON psc.token (space, grant_id);
        """
    )


def downgrade() -> None:
    tables = ("token", "client_grant", "session", "login", "client", "person", "signing_key")
    run_script(";".join(f"DROP TABLE psc.{table}" for table in tables))
