"""The XDS.b door of the DMP: ebRIM messages over SOAP (spec: dmp.md §1)."""
