"""Servers that Socle brings along: PostgreSQL from a wheel, Kafka from Maven Central."""
