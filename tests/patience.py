"""How long tests wait for what must come. They wait for the thing itself, never for a time to pass."""

PATIENCE_SECONDS = 60
"""Never reached in a good run, however busy the machine: it bounds failures alone."""
