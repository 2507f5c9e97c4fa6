"""Events: fact, outbox, relay, log, consumers (DESIGN.md §4)."""
