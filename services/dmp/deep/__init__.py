"""Deep validation of CDA documents, by the XSD and the schematrons that the user brings.

No source shows the DMP validating contents at ingest (spec: dmp.md §5), hence this never refuses: it runs
after the registration, in a process of its own, and its findings are read at the control plane.
"""
