"""Referencing of software (SONS): the dated calendar, products and versions, and what follows for a programme."""
