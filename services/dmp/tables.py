"""The tables of the schema `dmp`."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from socle.db.base import metadata_of

metadata = metadata_of("dmp")

# Content-addressed and never rewritten. Listing never touches it (docs/adr/0006).
body = Table(
    "body",
    metadata,
    Column("space", Text, primary_key=True),
    Column("sha256", LargeBinary, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

submission_set = Table(
    "submission_set",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("space", Text, nullable=False),
    Column("patient", Text, nullable=False),  # pseudonym
    Column("submitted_at", DateTime(timezone=True), nullable=False),
    Column("submitter", Text, nullable=False),
    Column("metadata", JSONB, nullable=False),
    Index("ix_submission_set_patient", "space", "patient", "id"),
    Index(
        "ix_submission_set_unique_id",
        "space",
        text("((metadata -> 'xds') ->> 'unique_id')"),
    ),
)

# One row per version of a document entry: `id` is the entryUUID, which every metadata update
# changes; `logical_id` lasts until the document is replaced, `chain_id` through replacements;
# `unique_id` is the producer's (spec: dmp.md §1.5, identifier life cycle; docs/adr/0009).
document = Table(
    "document",
    metadata,
    Column("space", Text, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("logical_id", Uuid, nullable=False),
    Column("chain_id", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("latest", Boolean, nullable=False),
    Column("status_changes", Integer, nullable=False),
    Column("masked", Boolean, nullable=False),  # from professionals who do not own it
    Column("owners", ARRAY(Text), nullable=False),  # submitter and authors
    Column("submission_set", Uuid, nullable=False),
    Column("unique_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("patient", Text, nullable=False),  # pseudonym
    Column("type_code", Text, nullable=False),
    Column("class_code", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("registered_at", DateTime(timezone=True), nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("metadata", JSONB, nullable=False),
    Index("ix_document_patient", "space", "patient", "status", "created_at"),
    Index("ix_document_logical", "space", "logical_id", "version", unique=True),
    Index("ix_document_unique_id", "space", "unique_id", "version", unique=True),
    Index("ix_document_submission_set", "space", "submission_set"),
)

# How documents relate to one another; that a set holds its documents stands in their own rows.
association = Table(
    "association",
    metadata,
    Column("space", Text, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("source", Uuid, nullable=False),
    Column("target", Uuid, nullable=False),
    Column("submission_set", Uuid, nullable=False),
    Index("ix_association_source", "space", "source"),
    Index("ix_association_target", "space", "target"),
)

# What a producer groups documents by (ITI TF-3 §4.2.1); `document` is a logicalId, so that a member
# stays one through metadata updates.
folder = Table(
    "folder",
    metadata,
    Column("space", Text, primary_key=True),
    Column("id", Uuid, primary_key=True),  # entryUUID
    Column("patient", Text, nullable=False),  # pseudonym
    Column("unique_id", Text, nullable=False),
    Column("submission_set", Uuid, nullable=False),  # that brought it
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column(
        "version", Integer, nullable=False, server_default="1"
    ),  # one more each time it is added to
    Column("metadata", JSONB, nullable=False),
    Index("ix_folder_unique_id", "space", "unique_id", unique=True),
    Index("ix_folder_patient", "space", "patient"),
    Index("ix_folder_submission_set", "space", "submission_set"),
)
folder_member = Table(
    "folder_member",
    metadata,
    Column("space", Text, primary_key=True),
    Column("folder", Uuid, primary_key=True),
    Column("document", Uuid, primary_key=True),
    Index("ix_folder_member_document", "space", "document"),
)

# What INS events say of a patient; a missing row means that nothing has been said yet.
patient = Table(
    "patient",
    metadata,
    Column("space", Text, primary_key=True),
    Column("pseudonym", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("qualified", Boolean, nullable=False),
    Column("said_at", DateTime(timezone=True), nullable=False),
    Column("fingerprints", JSONB, nullable=False, server_default="{}"),  # socle/ids/traits.py
)

# What is not as for everybody: a record that was opened, closed, changed or refused. A qualified
# patient without a row has an open record (SOCLE_DMP_RECORDS).
record = Table(
    "record",
    metadata,
    Column("space", Text, primary_key=True),
    Column("patient", Text, primary_key=True),  # pseudonym
    Column("oid", Text, nullable=False),
    Column("matricule", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("attached", Boolean, nullable=False),
    Column("internet_account", Boolean, nullable=False),
    Column("opposes_break_glass", Boolean, nullable=False),
    Column("opposes_emergency", Boolean, nullable=False),
    Column("opposes_feeding", Boolean, nullable=False),
    Column("shows_masked_in_emergency", Boolean, nullable=False),
    Column("closing_code", Text, nullable=False),
    Column("closed_at", DateTime(timezone=True)),
    Column("opened_at", DateTime(timezone=True)),
    Column("person", JSONB, nullable=False),
)

# Who did what with a record, never rewritten; `document` is a logicalId.
trace = Table(
    "trace",
    metadata,
    Column("space", Text, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("patient", Text, nullable=False),  # pseudonym
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),  # PS_IdNat, or PATIENT
    Column("action", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("document", Uuid),
    Index("ix_trace_patient", "space", "patient", "id"),
)

# Documents that wait for deep validation, and what it found (services/dmp/deep).
validation = Table(
    "validation",
    metadata,
    Column("space", Text, primary_key=True),
    Column("id", Uuid, primary_key=True),  # entryUUID
    Column("requested_at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True)),
    Column("findings", JSONB),
    Index("ix_validation_waiting", "requested_at", postgresql_where=text("done_at IS NULL")),
)

# Who may read a record, or was blocked by its patient.
access_right = Table(
    "access_right",
    metadata,
    Column("space", Text, primary_key=True),
    Column("patient", Text, primary_key=True),  # pseudonym
    Column("professional", Text, primary_key=True),  # PS_IdNat
    Column("mode", Text, nullable=False),
    Column("is_treating_doctor", Boolean, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("last_action_at", DateTime(timezone=True), nullable=False),
    Column("profile", JSONB, nullable=False),
    Index("ix_access_right_professional", "space", "professional"),
)
