"""Rule files that spaces bring, and what beneficiaries state for a programme."""

from socle.db.script import run_script

revision = "usage_0010"
down_revision = "usage_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE usage.rule_file (
            space text NOT NULL,
            programme text NOT NULL,
            version text NOT NULL,
            body text NOT NULL,
            position bigint NOT NULL,
            stored_at timestamptz NOT NULL,
            CONSTRAINT pk_rule_file PRIMARY KEY (space, programme, version)
        );
        CREATE TABLE usage.dossier (
            space text NOT NULL,
            beneficiary text NOT NULL,
            programme text NOT NULL,
            body text NOT NULL,
            stored_at timestamptz NOT NULL,
            CONSTRAINT pk_dossier PRIMARY KEY (space, beneficiary, programme)
        )
        """
    )


def downgrade() -> None:
    run_script("DROP TABLE usage.dossier; DROP TABLE usage.rule_file")
