"""Professionals found by name, whatever the accents, or by identifier, among a million."""

from socle.db.script import run_script

revision = "psc_0006"
down_revision = "psc_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE FUNCTION psc.folded(name text) RETURNS text
            LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
            RETURN lower(translate(
                name,
                'ÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝŸàáâãäåçèéêëìíîïñòóôõöùúûüýÿ-''’_',
                'AAAAAACEEEEIIIINOOOOOUUUUYYaaaaaaceeeeiiiinooooouuuuyy    '
            ));
        ALTER TABLE psc.person
            ADD COLUMN family_given text NOT NULL GENERATED ALWAYS AS (psc.folded(
                (document->>'family_name') || ' ' || (document->>'given_name'))) STORED,
            ADD COLUMN given_family text NOT NULL GENERATED ALWAYS AS (psc.folded(
                (document->>'given_name') || ' ' || (document->>'family_name'))) STORED;
        CREATE INDEX ix_person_family_given
            ON psc.person (space, family_given text_pattern_ops);
        CREATE INDEX ix_person_given_family
            ON psc.person (space, given_family text_pattern_ops);
        CREATE INDEX ix_person_national_id
            ON psc.person (space, national_id text_pattern_ops);
        CREATE INDEX ix_person_position ON psc.person (space, position, national_id)
        """
    )


def downgrade() -> None:
    run_script(
        """
        DROP INDEX psc.ix_person_position;
        DROP INDEX psc.ix_person_national_id;
        ALTER TABLE psc.person DROP COLUMN family_given, DROP COLUMN given_family;
        DROP FUNCTION psc.folded(text)
        """
    )
