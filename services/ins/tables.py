"""The tables of the schema `ins`."""

from sqlalchemy import Boolean, Column, DateTime, Integer, LargeBinary, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from socle.db.base import metadata_of

metadata = metadata_of("ins")

# The national register as a space sees it. `family_keys` are the folded spellings to search by.
person = Table(
    "person",
    metadata,
    Column("space", Text, primary_key=True),
    Column("oid", Text, primary_key=True),
    Column("matricule", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("family_name", Text, nullable=False),
    Column("given_names", Text, nullable=False),
    Column("sex", Text, nullable=False),
    Column("birth_date", Text, nullable=False),
    Column("birth_place", Text, nullable=False),
    Column("family_keys", ARRAY(Text), nullable=False),
    Column("other_family_names", ARRAY(Text), nullable=False),
    Column("cnda_tests", ARRAY(Text), nullable=False),
    Column("history", JSONB, nullable=False),
    Column("insured", Text, nullable=False),
    Column("birth_rank", Integer, nullable=False),
)

# A patient of the caller's own software. `external_id` is the caller's reference. A record that was
# merged keeps its history, names the survivor and is never written again.
identity = Table(
    "identity",
    metadata,
    Column("space", Text, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("external_id", Text),
    Column("family_name", Text, nullable=False),
    Column("given_names", Text, nullable=False),
    Column("sex", Text, nullable=False),
    Column("birth_date", Text, nullable=False),
    Column("birth_place", Text, nullable=False),
    Column("oid", Text),
    Column("matricule", Text),
    Column("key", Text),
    Column("retrieved", Boolean, nullable=False),
    Column("checked", Boolean, nullable=False),
    Column("homonym", Boolean, nullable=False),
    Column("doubtful", Boolean, nullable=False),
    Column("fictive", Boolean, nullable=False),
    Column("birth_date_corrected", Boolean, nullable=False),
    Column("first_given_name", Text, nullable=False),
    Column("used_family_name", Text, nullable=False),
    Column("used_given_name", Text, nullable=False),
    Column("collected_by", Text, nullable=False),
    Column("insi_at", DateTime(timezone=True)),
    Column("evidence", Text, nullable=False),
    Column("evidence_at", DateTime(timezone=True)),
    Column("evidence_expires", Text, nullable=False),
    Column("former", JSONB, nullable=False),
    Column("merged_into", Uuid),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)

identity_step = Table(
    "identity_step",
    metadata,
    Column("space", Text, primary_key=True),
    Column("identity_id", Uuid, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("step", Text, nullable=False),
    Column("from_status", Text, nullable=False),
    Column("to_status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)

# What a caller holds of many patients, to be compared with the register. `digest` is of the body,
# so that a reference that comes again with another body is told apart.
verification_batch = Table(
    "verification_batch",
    metadata,
    Column("space", Text, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("reference", Text),
    Column("digest", LargeBinary, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("bad", Integer, nullable=False),
    Column("ok", Integer, nullable=False),
    Column("ko", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True)),
)

# `claim` is forgotten with the verdict: OK, KO, or BAD for a line that could not be read.
verification_line = Table(
    "verification_line",
    metadata,
    Column("space", Text, primary_key=True),
    Column("batch_id", Uuid, primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("reference", Text, nullable=False),
    Column("claim", JSONB),
    Column("problems", JSONB, nullable=False),
    Column("result", Text),
    Column("differs", ARRAY(Text), nullable=False),
)
