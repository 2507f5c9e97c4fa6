"""Applications for the windows of a programme, as they were made."""

from socle.db.script import run_script

revision = "usage_0032"
down_revision = "usage_0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE usage.application (
            space text NOT NULL,
            beneficiary text NOT NULL,
            programme text NOT NULL,
            position integer NOT NULL,
            "window" text NOT NULL,
            groups text[] NOT NULL,
            applied_at timestamptz NOT NULL,
            in_time boolean NOT NULL,
            CONSTRAINT pk_application PRIMARY KEY (space, beneficiary, programme, position)
        )
        """
    )


def downgrade() -> None:
    run_script("DROP TABLE usage.application")
