"""Every version of a document, acts of every kind, what links them, and daily sums of all of it.

The facts of before lack what is counted now (versions, professionals, patients). The log still has
it: what was counted is dropped, and the consumer begins the log anew.
"""

from socle.db.script import run_script

revision = "usage_0004"
down_revision = "usage_0003"
branch_labels = None
depends_on = None

FORGET = """
    DELETE FROM usage.inbox WHERE consumer = 'usage';
    DELETE FROM usage.consumer_offset WHERE consumer = 'usage';
"""


def upgrade() -> None:
    run_script(
        FORGET
        + """
        DROP TABLE usage.activity;
        DROP TABLE usage.withdrawal;
        DROP TABLE usage.document;
        CREATE TABLE usage.document (
            space text NOT NULL,
            chain_id uuid NOT NULL,
            logical_id uuid NOT NULL,
            event_id uuid NOT NULL,
            unique_id text NOT NULL,
            structure text NOT NULL,
            professional text NOT NULL,
            patient text NOT NULL,
            type_code text NOT NULL,
            level text NOT NULL,
            qualified boolean NOT NULL,
            act_at timestamptz NOT NULL,
            registered_at timestamptz NOT NULL,
            CONSTRAINT pk_document PRIMARY KEY (space, chain_id, logical_id)
        );
        CREATE INDEX ix_document_unique_id ON usage.document (space, unique_id);
        CREATE INDEX ix_document_patient ON usage.document (space, professional, patient)
            WHERE professional <> '';
        CREATE TABLE usage.withdrawal (
            space text NOT NULL,
            chain_id uuid NOT NULL,
            withdrawn_at timestamptz NOT NULL,
            CONSTRAINT pk_withdrawal PRIMARY KEY (space, chain_id)
        );
        CREATE TABLE usage.act (
            space text NOT NULL,
            act_id text NOT NULL,
            owner text NOT NULL,
            kind text NOT NULL,
            event_id uuid NOT NULL,
            structure text NOT NULL,
            professional text NOT NULL,
            domain text NOT NULL,
            patient text NOT NULL,
            act_at timestamptz NOT NULL,
            flags text NOT NULL,
            CONSTRAINT pk_act PRIMARY KEY (space, act_id, owner, kind)
        );
        CREATE TABLE usage.cancellation (
            space text NOT NULL,
            act_id text NOT NULL,
            owner text NOT NULL,
            kind text NOT NULL,
            cancelled_at timestamptz NOT NULL,
            CONSTRAINT pk_cancellation PRIMARY KEY (space, act_id, owner, kind)
        );
        CREATE TABLE usage.link (
            space text NOT NULL,
            act_id text NOT NULL,
            reference text NOT NULL,
            CONSTRAINT pk_link PRIMARY KEY (space, act_id, reference)
        );
        CREATE INDEX ix_link_reference ON usage.link (space, reference);
        CREATE TABLE usage.occurrence (
            space text NOT NULL,
            kind text NOT NULL,
            key text NOT NULL,
            occurred_at timestamptz NOT NULL,
            CONSTRAINT pk_occurrence PRIMARY KEY (space, kind, key)
        );
        CREATE TABLE usage.listed (
            space text NOT NULL,
            list text NOT NULL,
            professional text NOT NULL,
            patient text NOT NULL,
            since date NOT NULL,
            until date,
            event_id uuid NOT NULL,
            CONSTRAINT pk_listed PRIMARY KEY (space, list, professional, patient)
        );
        CREATE TABLE usage.declaration (
            space text NOT NULL,
            owner text NOT NULL,
            item text NOT NULL,
            start date NOT NULL,
            "end" date NOT NULL,
            numerator bigint,
            denominator bigint,
            event_id uuid NOT NULL,
            CONSTRAINT pk_declaration PRIMARY KEY (space, owner, item, start)
        );
        CREATE TABLE usage.attestation (
            space text NOT NULL,
            professional text NOT NULL,
            kind text NOT NULL,
            form text NOT NULL,
            since date NOT NULL,
            until date,
            structure text NOT NULL,
            evidence text NOT NULL,
            event_id uuid NOT NULL,
            CONSTRAINT pk_attestation PRIMARY KEY (space, professional, kind, form, since)
        );
        CREATE TABLE usage.bucket (
            space text NOT NULL,
            measure text NOT NULL,
            subject text NOT NULL,
            kind text NOT NULL,
            act_day date NOT NULL,
            known_day date NOT NULL,
            domain text NOT NULL,
            traits text NOT NULL,
            latest integer NOT NULL,
            first integer NOT NULL,
            CONSTRAINT pk_bucket PRIMARY KEY
                (space, measure, subject, kind, act_day, known_day, domain, traits)
        )
        """
    )


def downgrade() -> None:
    tables = (
        "bucket", "attestation", "declaration", "listed", "occurrence", "link", "cancellation", "act",
        "withdrawal", "document",
    )  # fmt: skip
    run_script(FORGET + ";".join(f"DROP TABLE usage.{table}" for table in tables))
    run_script(
        """
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
        CREATE TABLE usage.withdrawal (
            space text NOT NULL,
            logical_id uuid NOT NULL,
            withdrawn_at timestamptz NOT NULL,
            CONSTRAINT pk_withdrawal PRIMARY KEY (space, logical_id)
        )
        """
    )
