"""How strictly a space compares From with the envelope; each of both policies may be set alone."""

from socle.db.script import run_script

revision = "mss_0071"
down_revision = "mss_0070"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        ALTER TABLE mss.lint_policy ALTER COLUMN mode DROP NOT NULL;
        ALTER TABLE mss.lint_policy ADD COLUMN from_mode text
            CONSTRAINT ck_lint_policy_from_mode CHECK (from_mode IN ('off', 'warn', 'enforce'));
        """
    )


def downgrade() -> None:
    run_script(
        """
        DELETE FROM mss.lint_policy WHERE mode IS NULL;
        ALTER TABLE mss.lint_policy DROP COLUMN from_mode;
        ALTER TABLE mss.lint_policy ALTER COLUMN mode SET NOT NULL;
        """
    )
