"""Which errors say that the database is away, and not that something is wrong with a request."""

from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def telling_away() -> Iterator[None]:
    """Of the driver's errors, those that promise nothing become a refusal that says so."""
    try:
        yield
    except Exception as error:
        # A deadlock is resolved by refusing one side.
        if not (is_database_away(error) or isinstance(error, asyncpg.DeadlockDetectedError)):
            raise
        raise database_away() from error


def database_away() -> DomainError:
    return DomainError(
        Category.UNAVAILABLE,
        "database_unavailable",
        "The database does not answer; nothing is known to be stored. Send the request again.",
        headers={"Retry-After": "2"},
    )
