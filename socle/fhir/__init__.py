"""What every FHIR R4 door shares."""
