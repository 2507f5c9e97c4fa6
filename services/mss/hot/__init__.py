"""The hot path: mails of the plain case wait together, are committed together, and are answered apart."""
