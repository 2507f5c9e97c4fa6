"""The Annuaire Santé: the national directory of professionals, structures and mailboxes, in FHIR R4."""
