"""Submission of mail (RFC 6409) with STARTTLS and the PSC access token."""
