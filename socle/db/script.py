"""Runs SQL scripts of several statements in a migration."""

from alembic import op


def run_script(script: str) -> None:
    """asyncpg prepares one statement at a time; ours contain no `;` inside a statement."""
    for statement in script.split(";"):
        if statement.strip():
            op.execute(statement)
