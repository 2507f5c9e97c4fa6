"""The wire contract of INSi, WSDL 1.5.0 (spec: ins.md §4). A later version is another package."""
