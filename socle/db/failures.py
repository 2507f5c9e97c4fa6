"""Which errors say that the database is away, and not that something is wrong with a request."""

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from socle.errors import Category, DomainError

# The server goes down, is shut down, has not finished starting, or takes no more connections.
_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that broke in the middle of an operation
    PoolTimeoutError,
    OSError,
)


def is_database_away(error: BaseException) -> bool:
    """SQLAlchemy wraps the driver's error in its own, which wraps asyncpg's as its cause."""
    if isinstance(error, _AWAY):
        return True
    if not isinstance(error, DBAPIError):
        return False
    inner = error.orig
    return error.connection_invalidated or any(
        isinstance(cause, _AWAY) for cause in (inner, getattr(inner, "__cause__", None))
    )


def database_away() -> DomainError:
    return DomainError(
        Category.UNAVAILABLE,
        "database_unavailable",
        "The database does not answer; nothing is known to be stored. Send the request again.",
        headers={"Retry-After": "2"},
    )
