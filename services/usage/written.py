"""The tables of a count as they are written: the one place that knows what becomes of a key that is there."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Written:
    """A table as it is written: its columns with their types, and what is done where the key is there."""

    name: str
    key: str
    columns: dict[str, str]
    updated: str = ""
    guard: str = ""

    @property
    def names(self) -> str:
        return ", ".join(f'"{name}"' for name in self.columns)

    def upsert(self, schema: str, source: str) -> str:
        keys = self.key.split(", ")
        updated = self.updated or ", ".join(
            f'"{name}" = excluded."{name}"' for name in self.columns if name not in keys
        )
        return (
            f"INSERT INTO {schema}.{self.name} AS t ({self.names}) SELECT * FROM {source}"
            f" ON CONFLICT ({self.key}) DO "
            + (f"UPDATE SET {updated}" if updated else "NOTHING")
            + (f" WHERE {self.guard}" if self.guard else "")
        )


_LAST_WORD = "excluded.event_id > t.event_id"
DOCUMENT = Written(
    "document",
    "space, chain_id, logical_id",
    {
        "space": "text", "chain_id": "uuid", "logical_id": "uuid", "event_id": "uuid",
        "unique_id": "text", "structure": "text", "professional": "text", "patient": "text",
        "type_code": "text", "level": "text", "qualified": "boolean", "act_at": "timestamptz",
        "registered_at": "timestamptz",
    },
)  # fmt: skip
WITHDRAWAL = Written(
    "withdrawal",
    "space, chain_id",
    {"space": "text", "chain_id": "uuid", "withdrawn_at": "timestamptz"},
)
ACT = Written(
    "act",
    "space, act_id, owner, kind",
    {
        "space": "text", "act_id": "text", "owner": "text", "kind": "text", "event_id": "uuid",
        "structure": "text", "professional": "text", "domain": "text", "patient": "text",
        "act_at": "timestamptz", "flags": "text",
    },
)  # fmt: skip
CANCELLATION = Written(
    "cancellation",
    "space, act_id, owner, kind",
    {"space": "text", "kind": "text", "owner": "text", "act_id": "text",
     "cancelled_at": "timestamptz"},
)  # fmt: skip
LINK = Written(
    "link", "space, act_id, reference", {"space": "text", "reference": "text", "act_id": "text"}
)
OCCURRENCE = Written(
    "occurrence",
    "space, kind, key",
    {"space": "text", "kind": "text", "key": "text", "occurred_at": "timestamptz"},
)
LISTED = Written(
    "listed",
    "space, list, professional, patient",
    {"space": "text", "list": "text", "professional": "text", "patient": "text", "since": "date",
     "until": "date", "event_id": "uuid"},
    guard=_LAST_WORD,
)  # fmt: skip
DECLARATION = Written(
    "declaration",
    "space, owner, item, start",
    {"space": "text", "owner": "text", "item": "text", "start": "date", "end": "date",
     "numerator": "bigint", "denominator": "bigint", "event_id": "uuid"},
    guard=_LAST_WORD,
)  # fmt: skip
ATTESTATION = Written(
    "attestation",
    "space, professional, kind, form, since",
    {"space": "text", "professional": "text", "kind": "text", "form": "text", "since": "date",
     "until": "date", "structure": "text", "evidence": "text", "event_id": "uuid"},
    guard=_LAST_WORD,
)  # fmt: skip
BUCKET = Written(
    "bucket",
    "space, measure, subject, kind, act_day, known_day, domain, traits",
    {"space": "text", "measure": "text", "subject": "text", "kind": "text", "domain": "text",
     "traits": "text", "act_day": "date", "known_day": "date", "latest": "integer",
     "first": "integer"},
    updated='latest = t.latest + excluded.latest, "first" = t."first" + excluded."first"',
)  # fmt: skip
