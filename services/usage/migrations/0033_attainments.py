"""Attestations that targets are reached, their history and their payments."""

from socle.db.script import run_script

revision = "usage_0033"
down_revision = "usage_0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE usage.attainment (
            space text NOT NULL,
            beneficiary text NOT NULL,
            programme text NOT NULL,
            "window" text NOT NULL,
            state text NOT NULL,
            body text NOT NULL,
            changed_at timestamptz NOT NULL,
            CONSTRAINT pk_attainment PRIMARY KEY (space, beneficiary, programme, "window")
        );
        CREATE TABLE usage.attainment_step (
            space text NOT NULL,
            beneficiary text NOT NULL,
            programme text NOT NULL,
            "window" text NOT NULL,
            position integer NOT NULL,
            action text NOT NULL,
            state text NOT NULL,
            by text NOT NULL,
            at timestamptz NOT NULL,
            request text NOT NULL,
            result text NOT NULL,
            CONSTRAINT pk_attainment_step
                PRIMARY KEY (space, beneficiary, programme, "window", position)
        );
        CREATE TABLE usage.payment (
            space text NOT NULL,
            beneficiary text NOT NULL,
            programme text NOT NULL,
            "window" text NOT NULL,
            step text NOT NULL,
            position integer NOT NULL,
            amount numeric NOT NULL,
            paid_at timestamptz NOT NULL,
            CONSTRAINT pk_payment PRIMARY KEY (space, beneficiary, programme, "window", step)
        )
        """
    )


def downgrade() -> None:
    run_script(
        "DROP TABLE usage.payment; DROP TABLE usage.attainment_step; DROP TABLE usage.attainment"
    )
