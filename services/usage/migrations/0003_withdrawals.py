"""Documents that were deleted in the DMP."""

from socle.db.script import run_script

revision = "usage_0003"
down_revision = "usage_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE usage.withdrawal (
            space text NOT NULL,
            logical_id uuid NOT NULL,
            withdrawn_at timestamptz NOT NULL,
            CONSTRAINT pk_withdrawal PRIMARY KEY (space, logical_id)
        )
        """
    )


def downgrade() -> None:
    run_script("DROP TABLE usage.withdrawal")
