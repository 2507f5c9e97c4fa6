"""The FHIR door of the DMP: PDSm, the French profile of IHE MHD."""
