"""Reports of the rules on each message, and how strictly a space applies them."""

from socle.db.script import run_script

revision = "mss_0043"
down_revision = "mss_0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE mss.lint_policy (
            space text PRIMARY KEY,
            mode text NOT NULL CONSTRAINT ck_lint_policy_mode
                CHECK (mode IN ('off', 'warn', 'enforce'))
        );
        CREATE TABLE mss.report (
            space text NOT NULL,
            message uuid NOT NULL REFERENCES mss.message ON DELETE CASCADE,
            passage jsonb NOT NULL,
            requested_at timestamptz NOT NULL,
            done_at timestamptz,
            rules_version integer,
            outcome text,
            verdicts jsonb,
            CONSTRAINT pk_report PRIMARY KEY (space, message)
        );
        CREATE INDEX ix_report_waiting ON mss.report (requested_at) WHERE done_at IS NULL;
        """
    )


def downgrade() -> None:
    run_script("DROP TABLE mss.report; DROP TABLE mss.lint_policy")
