"""DMP: the shared medical record, documents in and out over one registry."""
