"""National identifiers of patients, professionals and structures: pure, no framework."""
