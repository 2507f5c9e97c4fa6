"""Structures, counted documents, declared activity."""

from socle.db.script import run_script

revision = "usage_0002"
down_revision = "usage_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE usage.structure (
            space text NOT NULL,
            finess text NOT NULL,
            name text NOT NULL,
            CONSTRAINT pk_structure PRIMARY KEY (space, finess)
        );
        CREATE TABLE usage.document (
            space text NOT NULL,
            logical_id uuid NOT NULL,
            structure text NOT NULL,
            type_code text NOT NULL,
            level text NOT NULL,
            ins_qualified boolean NOT NULL,
            act_at timestamptz NOT NULL,
            registered_at timestamptz NOT NULL,
            size bigint NOT NULL,
            event_id uuid NOT NULL,
            CONSTRAINT pk_document PRIMARY KEY (space, logical_id)
        );
        CREATE INDEX ix_document_counted
            ON usage.document (space, structure, type_code, act_at);
        CREATE TABLE usage.activity (
            space text NOT NULL,
            kind text NOT NULL,
            structure text NOT NULL,
            act_id text NOT NULL,
            domain text NOT NULL,
            act_at timestamptz NOT NULL,
            CONSTRAINT pk_activity PRIMARY KEY (space, kind, structure, act_id)
        );
        CREATE INDEX ix_activity_counted
            ON usage.activity (space, structure, kind, domain, act_at);
        """
    )


def downgrade() -> None:
    run_script("DROP TABLE usage.activity; DROP TABLE usage.document; DROP TABLE usage.structure")
