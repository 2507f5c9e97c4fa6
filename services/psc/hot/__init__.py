"""Logins and refreshes in which everything is right, in one statement each.

A statement changes nothing unless every condition of the rules holds. When it gives no row, the
use cases of `service/` take over: they alone know the refusals, and what a refusal leaves behind.
"""
