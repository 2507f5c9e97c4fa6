"""Texts and addresses by what they contain, three characters at a time: an index of arrays, as not every
PostgreSQL has pg_trgm at hand (the embedded one has not)."""

from alembic import op

from socle.db.script import run_script

revision = "mss_0073"
down_revision = "mss_0072"
branch_labels = None
depends_on = None


# Eight times as fast as a query over generate_series, which every text that is loaded would pay for.
GRAMS = """
CREATE FUNCTION mss.grams(value text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    found text[] := '{}';
BEGIN
    FOR i IN 1 .. length(value) - 2 LOOP
        found := found || substr(value, i, 3);
    END LOOP;
    RETURN found;
END
$$
"""


def upgrade() -> None:
    op.execute(GRAMS)
    run_script(
        """
        CREATE INDEX ix_annuaire_text_grams ON mss.annuaire_text USING gin (mss.grams(folded));
        CREATE INDEX ix_mailbox_grams ON mss.mailbox USING gin (mss.grams(address));
        """
    )


def downgrade() -> None:
    run_script(
        """
        DROP INDEX mss.ix_mailbox_grams;
        DROP INDEX mss.ix_annuaire_text_grams;
        DROP FUNCTION mss.grams;
        """
    )
