"""The FHIR door of the INS service: patients in the shape of FR Core, a help of the sandbox."""
