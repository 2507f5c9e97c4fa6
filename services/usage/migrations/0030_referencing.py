"""Products and their referencing, and the software of beneficiaries."""

from socle.db.script import run_script

revision = "usage_0030"
down_revision = "usage_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE usage.product (
            space text NOT NULL,
            product text NOT NULL,
            body text NOT NULL,
            stored_at timestamptz NOT NULL,
            CONSTRAINT pk_product PRIMARY KEY (space, product)
        );
        CREATE TABLE usage.software (
            space text NOT NULL,
            beneficiary text NOT NULL,
            body text NOT NULL,
            stored_at timestamptz NOT NULL,
            CONSTRAINT pk_software PRIMARY KEY (space, beneficiary)
        )
        """
    )


def downgrade() -> None:
    run_script("DROP TABLE usage.software; DROP TABLE usage.product")
