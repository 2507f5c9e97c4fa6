"""Clients with keys and certificates, what they sent ahead (PAR), and keys that were replaced."""

from socle.db.script import run_script

revision = "psc_0005"
down_revision = "psc_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        ALTER TABLE psc.client
            ADD COLUMN token_endpoint_auth_method text,
            ADD COLUMN jwks jsonb,
            ADD COLUMN tls_client_auth_subject_dn text,
            ADD COLUMN tls_client_certificate_bound_access_tokens boolean NOT NULL DEFAULT false,
            ADD COLUMN id_token_signed_response_alg text NOT NULL DEFAULT 'RS256',
            ADD COLUMN userinfo_signed_response_alg text,
            ADD COLUMN ciba boolean NOT NULL DEFAULT true,
            ADD COLUMN auto_approve boolean NOT NULL DEFAULT false;
        UPDATE psc.client SET token_endpoint_auth_method =
            CASE WHEN secret_digest IS NULL THEN 'none' ELSE 'client_secret_basic' END;
        ALTER TABLE psc.client
            ALTER COLUMN token_endpoint_auth_method SET NOT NULL,
            ADD CONSTRAINT ck_client_credentials CHECK (
                (secret_digest IS NOT NULL) =
                    (token_endpoint_auth_method IN ('client_secret_basic', 'client_secret_post'))
                AND (jwks IS NOT NULL) = (token_endpoint_auth_method = 'private_key_jwt')
                AND (tls_client_auth_subject_dn IS NOT NULL) =
                    (token_endpoint_auth_method = 'tls_client_auth')
            );
        CREATE TABLE psc.client_assertion (
            space text NOT NULL,
            client_id text NOT NULL,
            jti_digest bytea NOT NULL,
            expires_at timestamptz NOT NULL,
            CONSTRAINT pk_client_assertion PRIMARY KEY (space, client_id, jti_digest)
        );
        CREATE INDEX ix_client_assertion_expires_at ON psc.client_assertion (expires_at);
        CREATE TABLE psc.pushed_request (
            space text NOT NULL,
            digest bytea NOT NULL,
            client_id text NOT NULL,
            parameters jsonb NOT NULL,
            expires_at timestamptz NOT NULL,
            CONSTRAINT pk_pushed_request PRIMARY KEY (space, digest)
        );
        CREATE INDEX ix_pushed_request_expires_at ON psc.pushed_request (expires_at);
        ALTER TABLE psc.signing_key ADD COLUMN retired_at timestamptz;
        ALTER TABLE psc.client_grant ADD COLUMN certificate_thumbprint bytea
        """
    )


def downgrade() -> None:
    run_script(
        """
        ALTER TABLE psc.client_grant DROP COLUMN certificate_thumbprint;
        ALTER TABLE psc.signing_key DROP COLUMN retired_at;
        DROP TABLE psc.pushed_request;
        DROP TABLE psc.client_assertion;
        DELETE FROM psc.client
            WHERE token_endpoint_auth_method IN ('private_key_jwt', 'tls_client_auth');
        ALTER TABLE psc.client
            DROP CONSTRAINT ck_client_credentials,
            DROP COLUMN token_endpoint_auth_method,
            DROP COLUMN jwks,
            DROP COLUMN tls_client_auth_subject_dn,
            DROP COLUMN tls_client_certificate_bound_access_tokens,
            DROP COLUMN id_token_signed_response_alg,
            DROP COLUMN userinfo_signed_response_alg,
            DROP COLUMN ciba,
            DROP COLUMN auto_approve
        """
    )
