"""Metadata of a schema, with the same constraint names on every server."""

from sqlalchemy import MetaData

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def metadata_of(schema: str) -> MetaData:
    """One schema per service: nothing is read or written across schemas."""
    return MetaData(schema=schema, naming_convention=NAMING)
