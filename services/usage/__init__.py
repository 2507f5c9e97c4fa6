"""Usage: the counters that pay hospitals and doctors for sharing documents."""
