"""The tables that each service has for the kernel's sake, in its own schema.

`outbox`, `inbox`, `consumer_offset` and `dead_letter` serve events (socle/events); `seeded`
remembers which spaces the service has filled (socle/spaces.py).
"""


def create_statements(schema: str) -> str:
    """Version 1 of these tables, for a service's first migration.

    A later version is another function: a migration that has run must never change.
    """
    return f"""
        CREATE TABLE {schema}.seeded (space text PRIMARY KEY);
        CREATE TABLE {schema}.outbox (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            topic text NOT NULL,
            key text NOT NULL,
            value bytea NOT NULL,
            headers jsonb NOT NULL DEFAULT '{{}}',
            created_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE TABLE {schema}.inbox (
            event_id uuid NOT NULL,
            consumer text NOT NULL,
            PRIMARY KEY (consumer, event_id)
        );
        CREATE TABLE {schema}.consumer_offset (
            consumer text NOT NULL,
            log text NOT NULL,
            topic text NOT NULL,
            partition integer NOT NULL,
            next_offset bigint NOT NULL,
            PRIMARY KEY (consumer, log, topic, partition)
        );
        CREATE TABLE {schema}.dead_letter (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            consumer text NOT NULL,
            topic text NOT NULL,
            partition integer NOT NULL,
            "offset" bigint NOT NULL,
            key text NOT NULL,
            value bytea NOT NULL,
            headers jsonb NOT NULL DEFAULT '{{}}',
            reason text NOT NULL,
            failed_at timestamptz NOT NULL DEFAULT now(),
            replayed_at timestamptz
        );
    """
