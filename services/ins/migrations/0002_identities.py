"""The register of a space, its identity records and their history."""

from socle.db.script import run_script

revision = "ins_0002"
down_revision = "ins_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(
        """
        CREATE TABLE ins.person (
            space text NOT NULL,
            oid text NOT NULL,
            matricule text NOT NULL,
            key text NOT NULL,
            family_name text NOT NULL,
            given_names text NOT NULL,
            sex text NOT NULL,
            birth_date text NOT NULL,
            birth_place text NOT NULL,
            family_keys text[] NOT NULL,
            other_family_names text[] NOT NULL,
            cnda_tests text[] NOT NULL,
            history jsonb NOT NULL,
            CONSTRAINT pk_person PRIMARY KEY (space, oid, matricule)
        );
        CREATE INDEX ix_person_traits ON ins.person (space, birth_date, sex);
        CREATE TABLE ins.identity (
            space text NOT NULL,
            id uuid NOT NULL,
            external_id text,
            family_name text NOT NULL,
            given_names text NOT NULL,
            sex text NOT NULL,
            birth_date text NOT NULL,
            birth_place text NOT NULL,
            oid text,
            matricule text,
            key text,
            retrieved boolean NOT NULL,
            checked boolean NOT NULL,
            homonym boolean NOT NULL,
            doubtful boolean NOT NULL,
            fictive boolean NOT NULL,
            birth_date_corrected boolean NOT NULL,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            CONSTRAINT pk_identity PRIMARY KEY (space, id),
            CONSTRAINT uq_identity_external_id UNIQUE (space, external_id),
            CONSTRAINT ck_identity_ins CHECK (NOT retrieved OR matricule IS NOT NULL)
        );
        CREATE UNIQUE INDEX uq_identity_ins ON ins.identity (space, oid, matricule)
            WHERE retrieved;
        CREATE INDEX ix_identity_ins ON ins.identity (space, oid, matricule);
        CREATE TABLE ins.identity_step (
            space text NOT NULL,
            identity_id uuid NOT NULL,
            position integer NOT NULL,
            step text NOT NULL,
            from_status text NOT NULL,
            to_status text NOT NULL,
            reason text NOT NULL,
            at timestamptz NOT NULL,
            CONSTRAINT pk_identity_step PRIMARY KEY (space, identity_id, position),
            CONSTRAINT fk_identity_step_identity FOREIGN KEY (space, identity_id)
                REFERENCES ins.identity (space, id) ON DELETE CASCADE
        );
        """
    )


def downgrade() -> None:
    run_script("DROP TABLE ins.identity_step; DROP TABLE ins.identity; DROP TABLE ins.person")
