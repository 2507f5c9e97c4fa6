"""Slots that agendas open to the SAS."""

from socle.db.script import run_script

revision = "usage_0034"
down_revision = "usage_0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE usage.sas_slot (
            space text NOT NULL,
            professional text NOT NULL,
            starts_at timestamptz NOT NULL,
            ends_at timestamptz NOT NULL,
            CONSTRAINT pk_sas_slot PRIMARY KEY (space, professional, starts_at, ends_at)
        )
        """
    )


def downgrade() -> None:
    run_script("DROP TABLE usage.sas_slot")
