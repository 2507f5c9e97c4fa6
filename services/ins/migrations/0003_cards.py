"""Whose Vitale card a person is on, and the ways to find a person by a number."""

from socle.db.script import run_script

revision = "ins_0003"
down_revision = "ins_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        ALTER TABLE ins.person
            ADD COLUMN insured text NOT NULL DEFAULT '',
            ADD COLUMN birth_rank integer NOT NULL DEFAULT 1;
        CREATE INDEX ix_person_insured ON ins.person (space, insured) WHERE insured <> '';
        CREATE INDEX ix_person_history ON ins.person USING gin (history jsonb_path_ops)
            WHERE history <> '[]';
        CREATE INDEX ix_person_name
            ON ins.person (space, family_name COLLATE "C", given_names COLLATE "C", matricule);
        """
    )


def downgrade() -> None:
    run_script(
        """
        DROP INDEX ins.ix_person_name, ins.ix_person_history, ins.ix_person_insured;
        ALTER TABLE ins.person DROP COLUMN birth_rank, DROP COLUMN insured;
        """
    )
