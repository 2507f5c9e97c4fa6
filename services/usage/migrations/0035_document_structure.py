"""The documents of one structure among those of a space, in the order of their pages."""

from socle.db.script import run_script

revision = "usage_0035"
down_revision = "usage_0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script("CREATE INDEX ix_document_structure ON usage.document (space, structure, chain_id)")


def downgrade() -> None:
    run_script("DROP INDEX usage.ix_document_structure")
