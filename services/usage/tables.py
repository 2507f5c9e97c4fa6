"""The tables of the schema `usage`."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Table, Text, Uuid

from socle.db.base import metadata_of

metadata = metadata_of("usage")

structure = Table(
    "structure",
    metadata,
    Column("space", Text, primary_key=True),
    Column("finess", Text, primary_key=True),
    Column("name", Text, nullable=False),
)

# A logical document counts once, whatever is deposited again: hence the key (spec: usage.md R4).
document = Table(
    "document",
    metadata,
    Column("space", Text, primary_key=True),
    Column("logical_id", Uuid, primary_key=True),
    Column("structure", Text, nullable=False),
    Column("type_code", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("ins_qualified", Boolean, nullable=False),
    Column("act_at", DateTime(timezone=True), nullable=False),
    Column("registered_at", DateTime(timezone=True), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Index("ix_document_counted", "space", "structure", "type_code", "act_at"),
)

# Beside the documents and not in their rows: the deletion may be heard of before the document.
withdrawal = Table(
    "withdrawal",
    metadata,
    Column("space", Text, primary_key=True),
    Column("logical_id", Uuid, primary_key=True),
    Column("withdrawn_at", DateTime(timezone=True), nullable=False),
)

activity = Table(
    "activity",
    metadata,
    Column("space", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("structure", Text, primary_key=True),
    Column("act_id", Text, primary_key=True),
    Column("domain", Text, nullable=False),
    Column("act_at", DateTime(timezone=True), nullable=False),
    Index("ix_activity_counted", "space", "structure", "kind", "domain", "act_at"),
)
