"""IMAP4rev1 (RFC 3501) over PostgreSQL, as narrow as mail software of the field needs.

Why our own: docs/adr/0007-imap.md.
"""
