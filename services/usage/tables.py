"""The tables of the schema `usage`.

`document` to `occurrence` hold facts, each with the key that makes it count once; `bucket` holds their
daily sums, written in the same transaction. These are the tables of a count (COUNTED): a recount from
the log makes them anew in a schema of its own and then takes their place.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY

from socle.db.base import metadata_of

metadata = metadata_of("usage")

structure = Table(
    "structure",
    metadata,
    Column("space", Text, primary_key=True),
    Column("finess", Text, primary_key=True),
    Column("name", Text, nullable=False),
)

# A registration in the DMP; those of one chain are one logical document (spec: usage.md R4).
document = Table(
    "document",
    metadata,
    Column("space", Text, primary_key=True),
    Column("chain_id", Uuid, primary_key=True),
    Column("logical_id", Uuid, primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("unique_id", Text, nullable=False),
    Column("structure", Text, nullable=False),
    Column("professional", Text, nullable=False),
    Column("patient", Text, nullable=False),
    Column("type_code", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("qualified", Boolean, nullable=False),
    Column("act_at", DateTime(timezone=True), nullable=False),
    Column("registered_at", DateTime(timezone=True), nullable=False),
    Index("ix_document_unique_id", "space", "unique_id"),
    # A structure's page of documents: all of the space were read for one of few.
    Index("ix_document_structure", "space", "structure", "chain_id"),
    Index(
        "ix_document_patient",
        "space",
        "professional",
        "patient",
        postgresql_where="professional <> ''",
    ),
)

# Beside the documents and not in their rows: the deletion may be heard of before the document.
withdrawal = Table(
    "withdrawal",
    metadata,
    Column("space", Text, primary_key=True),
    Column("chain_id", Uuid, primary_key=True),
    Column("withdrawn_at", DateTime(timezone=True), nullable=False),
)

# The vendor's own number comes before its owner in the key: a document tells the number alone.
act = Table(
    "act",
    metadata,
    Column("space", Text, primary_key=True),
    Column("act_id", Text, primary_key=True),
    Column("owner", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("structure", Text, nullable=False),
    Column("professional", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("patient", Text, nullable=False),
    Column("act_at", DateTime(timezone=True), nullable=False),
    Column("flags", Text, nullable=False),
)

cancellation = Table(
    "cancellation",
    metadata,
    Column("space", Text, primary_key=True),
    Column("act_id", Text, primary_key=True),
    Column("owner", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("cancelled_at", DateTime(timezone=True), nullable=False),
)

# `reference` is the uniqueId of a document, or `message:` and the number of a message.
link = Table(
    "link",
    metadata,
    Column("space", Text, primary_key=True),
    Column("act_id", Text, primary_key=True),
    Column("reference", Text, primary_key=True),
    Index("ix_link_reference", "space", "reference"),
)

occurrence = Table(
    "occurrence",
    metadata,
    Column("space", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
)

# Who is on a doctor's list, as the last declaration says.
listed = Table(
    "listed",
    metadata,
    Column("space", Text, primary_key=True),
    Column("list", Text, primary_key=True),
    Column("professional", Text, primary_key=True),
    Column("patient", Text, primary_key=True),
    Column("since", Date, nullable=False),
    Column("until", Date),
    Column("event_id", Uuid, nullable=False),
)

# Totals that are declared and not counted (oSIS, activity of 2019): the last one of each month holds.
declaration = Table(
    "declaration",
    metadata,
    Column("space", Text, primary_key=True),
    Column("owner", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("start", Date, primary_key=True),
    Column("end", Date, nullable=False),
    Column("numerator", BigInteger),
    Column("denominator", BigInteger),
    Column("event_id", Uuid, nullable=False),
)

# SAS, coordinated practice: declared, neither counted nor paid by the act.
attestation = Table(
    "attestation",
    metadata,
    Column("space", Text, primary_key=True),
    Column("professional", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("form", Text, primary_key=True),
    Column("since", Date, primary_key=True),
    Column("until", Date),
    Column("structure", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("event_id", Uuid, nullable=False),
)

# See domain/contributions.py for what the two days and the two sums are.
bucket = Table(
    "bucket",
    metadata,
    Column("space", Text, primary_key=True),
    Column("measure", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("act_day", Date, primary_key=True),
    Column("known_day", Date, primary_key=True),
    Column("domain", Text, primary_key=True),
    Column("traits", Text, primary_key=True),
    Column("latest", Integer, nullable=False),
    Column("first", Integer, nullable=False),
)

COUNTED = (
    document, withdrawal, act, cancellation, link, occurrence, listed, declaration, attestation, bucket,
)  # fmt: skip

# Rule files that a space brings; the last one put of a programme is in force. The text is kept as it
# is, since the order of a file is that of its pages.
rule_file = Table(
    "rule_file",
    metadata,
    Column("space", Text, primary_key=True),
    Column("programme", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("stored_at", DateTime(timezone=True), nullable=False),
)

# What a programme asks of a beneficiary and the counters cannot know: base, prerequisites, windows
# applied for, attestations.
dossier = Table(
    "dossier",
    metadata,
    Column("space", Text, primary_key=True),
    Column("beneficiary", Text, primary_key=True),
    Column("programme", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("stored_at", DateTime(timezone=True), nullable=False),
)

# Products of vendors with their versions and referencing, and the software of a beneficiary: declared, and
# replaced as a whole. What is derived from them is worked out when it is asked.
product = Table(
    "product",
    metadata,
    Column("space", Text, primary_key=True),
    Column("product", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("stored_at", DateTime(timezone=True), nullable=False),
)
software = Table(
    "software",
    metadata,
    Column("space", Text, primary_key=True),
    Column("beneficiary", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("stored_at", DateTime(timezone=True), nullable=False),
)

# Evidence files. Bodies are content-addressed and never rewritten, as the DMP's (docs/adr/0006); listing
# never touches them.
piece_body = Table(
    "piece_body",
    metadata,
    Column("space", Text, primary_key=True),
    Column("sha256", LargeBinary, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
piece = Table(
    "piece",
    metadata,
    Column("space", Text, primary_key=True),
    Column("beneficiary", Text, primary_key=True),
    Column("programme", Text, primary_key=True),
    Column("reference", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("stored_at", DateTime(timezone=True), nullable=False),
    Column("submitted_at", DateTime(timezone=True)),
    Index("ix_piece_sha256", "space", "sha256"),
)

# Applications for windows as they were made; what holds stands in the dossier.
application = Table(
    "application",
    metadata,
    Column("space", Text, primary_key=True),
    Column("beneficiary", Text, primary_key=True),
    Column("programme", Text, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("window", Text, nullable=False),
    Column("groups", ARRAY(Text), nullable=False),
    Column("applied_at", DateTime(timezone=True), nullable=False),
    Column("in_time", Boolean, nullable=False),
)

# Attestations that targets are reached, as they stand; every act on one, with its request and what followed;
# and what was paid of one, each step once.
attainment = Table(
    "attainment",
    metadata,
    Column("space", Text, primary_key=True),
    Column("beneficiary", Text, primary_key=True),
    Column("programme", Text, primary_key=True),
    Column("window", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
)
attainment_step = Table(
    "attainment_step",
    metadata,
    Column("space", Text, primary_key=True),
    Column("beneficiary", Text, primary_key=True),
    Column("programme", Text, primary_key=True),
    Column("window", Text, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("action", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("request", Text, nullable=False),
    Column("result", Text, nullable=False),
)
payment = Table(
    "payment",
    metadata,
    Column("space", Text, primary_key=True),
    Column("beneficiary", Text, primary_key=True),
    Column("programme", Text, primary_key=True),
    Column("window", Text, primary_key=True),
    Column("step", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("amount", Numeric, nullable=False),
    Column("paid_at", DateTime(timezone=True), nullable=False),
)

# When a professional's agenda is open to patients whom the SAS sends.
sas_slot = Table(
    "sas_slot",
    metadata,
    Column("space", Text, primary_key=True),
    Column("professional", Text, primary_key=True),
    Column("starts_at", DateTime(timezone=True), primary_key=True),
    Column("ends_at", DateTime(timezone=True), primary_key=True),
)
