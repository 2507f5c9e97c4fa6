"""The Annuaire Santé: entries with what they are searched by, keys, switches, words on mailboxes."""

from socle.db.script import run_script

revision = "mss_0030"
down_revision = "mss_0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE mss.annuaire_space (
            space text PRIMARY KEY,
            api_key text CONSTRAINT ck_annuaire_space_api_key CHECK (api_key IN ('off', 'enforce')),
            as_in_production boolean
        );
        CREATE TABLE mss.annuaire_key (
            space text NOT NULL,
            digest bytea NOT NULL,
            id uuid NOT NULL,
            label text NOT NULL,
            may_write boolean NOT NULL,
            created_at timestamptz NOT NULL,
            CONSTRAINT pk_annuaire_key PRIMARY KEY (digest, space)
        );
        CREATE UNIQUE INDEX uq_annuaire_key_id ON mss.annuaire_key (space, id);
        CREATE TABLE mss.annuaire_entry (
            space text NOT NULL,
            kind text NOT NULL,
            id text COLLATE "C" NOT NULL,
            national_id text NOT NULL,
            structure text COLLATE "C" NOT NULL,
            active boolean NOT NULL,
            version integer NOT NULL DEFAULT 1,
            updated_at timestamptz NOT NULL,
            body json NOT NULL,
            tokens bigint[] NOT NULL,
            CONSTRAINT pk_annuaire_entry PRIMARY KEY (space, kind, id)
        );
        CREATE INDEX ix_annuaire_entry_tokens ON mss.annuaire_entry USING gin (tokens);
        CREATE INDEX ix_annuaire_entry_national_id
            ON mss.annuaire_entry (space, national_id) WHERE national_id <> '';
        CREATE INDEX ix_annuaire_entry_structure
            ON mss.annuaire_entry (space, structure) WHERE structure <> '';
        CREATE INDEX ix_annuaire_entry_updated_at
            ON mss.annuaire_entry (space, kind, updated_at);
        CREATE TABLE mss.annuaire_text (
            space text NOT NULL,
            kind text NOT NULL,
            entry text COLLATE "C" NOT NULL,
            name text NOT NULL,
            value text NOT NULL,
            folded text COLLATE "C" NOT NULL,
            CONSTRAINT pk_annuaire_text PRIMARY KEY (space, kind, entry, name, value)
        );
        CREATE INDEX ix_annuaire_text_folded
            ON mss.annuaire_text (space, kind, name, folded, entry);
        CREATE TABLE mss.annuaire_mailbox (
            space text NOT NULL,
            address text NOT NULL,
            kind text,
            entry text COLLATE "C",
            listed boolean NOT NULL DEFAULT true,
            red_listed boolean NOT NULL DEFAULT false,
            rank integer,
            description text NOT NULL DEFAULT '',
            service text NOT NULL DEFAULT '',
            responsible text NOT NULL DEFAULT '',
            CONSTRAINT pk_annuaire_mailbox PRIMARY KEY (space, address),
            CONSTRAINT fk_annuaire_mailbox_mailbox FOREIGN KEY (space, address)
                REFERENCES mss.mailbox ON DELETE CASCADE
        );
        CREATE INDEX ix_annuaire_mailbox_entry ON mss.annuaire_mailbox (space, kind, entry);
        CREATE INDEX ix_mailbox_address ON mss.mailbox (space, address COLLATE "C");
        ALTER TABLE mss.mailbox ADD COLUMN IF NOT EXISTS structure text NOT NULL DEFAULT '';
        CREATE INDEX ix_mailbox_structure ON mss.mailbox (space, structure) WHERE structure <> '';
        DELETE FROM mss.seeded
        """
    )
    # The last line: a space that was seeded before has no directory. What a seed finds it leaves.


def downgrade() -> None:
    tables = ("mailbox", "text", "entry", "key", "space")
    run_script("DROP INDEX mss.ix_mailbox_address; DROP INDEX mss.ix_mailbox_structure")
    run_script(";".join(f"DROP TABLE mss.annuaire_{table}" for table in tables))
