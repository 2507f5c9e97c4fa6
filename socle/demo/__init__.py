"""`socle demo`: one document from the login of its author to the indicator that it moves.

Written as a vendor's client would be: over HTTP, SMTP and IMAP only, with nothing of the services.
"""
