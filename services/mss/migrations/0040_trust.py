"""The trust space: operators, their domains and certificates, the rules between them."""

from socle.db.script import run_script

revision = "mss_0040"
down_revision = "mss_0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE mss.operator (
            space text NOT NULL,
            name text NOT NULL,
            title text NOT NULL,
            host text NOT NULL,
            structure text NOT NULL,
            department text NOT NULL,
            responsible text NOT NULL,
            support text NOT NULL,
            certificate uuid,
            CONSTRAINT pk_operator PRIMARY KEY (space, name)
        );
        CREATE TABLE mss.trust_domain (
            space text NOT NULL,
            domain text NOT NULL,
            dn text NOT NULL,
            operator text NOT NULL,
            description text NOT NULL,
            responsible text NOT NULL,
            support text NOT NULL,
            updated_at timestamptz NOT NULL,
            CONSTRAINT pk_trust_domain PRIMARY KEY (space, domain, dn),
            CONSTRAINT fk_trust_domain_operator FOREIGN KEY (space, operator) REFERENCES mss.operator
        );
        CREATE TABLE mss.trust_space (
            space text PRIMARY KEY,
            changed_at timestamptz NOT NULL,
            version bigint NOT NULL DEFAULT 1
        );
        CREATE TABLE mss.trust_rule (
            space text NOT NULL,
            rule text NOT NULL,
            mode text NOT NULL CONSTRAINT ck_trust_rule_mode
                CHECK (mode IN ('off', 'warn', 'enforce')),
            CONSTRAINT pk_trust_rule PRIMARY KEY (space, rule)
        );
        CREATE TABLE mss.certificate (
            id uuid PRIMARY KEY,
            space text NOT NULL,
            operator text,
            purpose text NOT NULL CONSTRAINT ck_certificate_purpose
                CHECK (purpose IN ('operator', 'auth_cli')),
            fingerprint bytea NOT NULL,
            serial text NOT NULL,
            subject text NOT NULL,
            pem text NOT NULL,
            key_pem text,
            not_before timestamptz NOT NULL,
            not_after timestamptz NOT NULL,
            revoked_at timestamptz,
            CONSTRAINT uq_certificate_fingerprint UNIQUE (fingerprint),
            CONSTRAINT fk_certificate_operator FOREIGN KEY (space, operator) REFERENCES mss.operator
        );
        CREATE INDEX ix_certificate_space ON mss.certificate (space);
        CREATE TABLE mss.mailbox_certificate (
            space text NOT NULL,
            address text NOT NULL,
            certificate uuid NOT NULL REFERENCES mss.certificate ON DELETE CASCADE,
            CONSTRAINT pk_mailbox_certificate PRIMARY KEY (space, address, certificate),
            CONSTRAINT fk_mailbox_certificate_mailbox FOREIGN KEY (space, address)
                REFERENCES mss.mailbox ON DELETE CASCADE
        );
        CREATE INDEX ix_mailbox_certificate_certificate ON mss.mailbox_certificate (certificate);
        DELETE FROM mss.seeded
        """
    )
    # The last line: a space that was seeded before has no operators. What a seed finds it leaves.


def downgrade() -> None:
    tables = (
        "mailbox_certificate", "certificate", "trust_rule", "trust_space", "trust_domain", "operator",
    )  # fmt: skip
    run_script(";".join(f"DROP TABLE mss.{table}" for table in tables))
