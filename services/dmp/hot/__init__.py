"""The hot path: submissions wait together, are committed together, and are answered apart."""
